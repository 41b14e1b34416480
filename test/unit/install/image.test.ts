// The parts of an image's name: a port is no tag.
import { expect, test } from 'vitest';
import { imageText, parseImage } from '../../../src/install/image.ts';

test.each([
  ['switchyard', { name: 'switchyard' }],
  ['switchyard:0.2.0', { name: 'switchyard', tag: '0.2.0' }],
  ['registry.example:5000/team/switchyard', { name: 'registry.example:5000/team/switchyard' }],
  ['registry.example:5000/switchyard:1', { name: 'registry.example:5000/switchyard', tag: '1' }],
  ['a/b@sha256:00ff', { name: 'a/b', digest: 'sha256:00ff' }],
  ['a/b:1@sha256:00ff', { name: 'a/b', tag: '1', digest: 'sha256:00ff' }],
])('%s', (text, image) => {
  expect(parseImage(text)).toEqual(image);
  expect(imageText(image)).toBe(text);
});
