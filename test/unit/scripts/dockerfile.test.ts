// Dockerfiles as we follow them: what ours say is read, anything else is refused, and .dockerignore is as Docker reads it.
import { expect, test } from 'vitest';
import { isIgnored, parseDockerfile } from '../../../scripts/image/dockerfile.ts';

test('stages and their instructions', () => {
  const text = `# A comment.
FROM node:24 AS packages
WORKDIR /app
COPY package.json .npmrc ./
RUN npm ci --omit=dev

FROM base:nonroot
COPY --from=packages /app/node_modules ./node_modules
USER 1:2
EXPOSE 1 2
ENTRYPOINT ["/node", "main.js"]
CMD ["controller"]
`;
  expect(parseDockerfile(text)).toEqual([
    {
      base: 'node:24',
      name: 'packages',
      instructions: [
        { kind: 'workdir', path: '/app' },
        { kind: 'copy', sources: ['package.json', '.npmrc'], target: './' },
        { kind: 'run', command: 'npm ci --omit=dev' },
      ],
    },
    {
      base: 'base:nonroot',
      name: '',
      instructions: [
        { kind: 'copy', from: 'packages', sources: ['/app/node_modules'], target: './node_modules' },
        { kind: 'user', uid: 1, gid: 2 },
        { kind: 'expose' },
        { kind: 'entrypoint', words: ['/node', 'main.js'] },
        { kind: 'cmd', words: ['controller'] },
      ],
    },
  ]);
});

test.each([
  ['FROM a\nADD a b', 'an instruction that is not known here: ADD a b'],
  ['FROM a\nUSER nobody', 'USER must be numbers, as 65532:65532: USER nobody'],
  ['WORKDIR /app', 'the Dockerfile begins with no FROM: WORKDIR /app'],
])('%j is refused', (text, message) => {
  expect(() => parseDockerfile(text)).toThrow(message);
});

test.each([
  ['a', true],
  ['kept', false],
  ['kept/below/it', false],
  ['kept/below/it.log', true],
  ['deep/folder/kept', true],
  ['deep/folder', false],
  ['deep/folder/a', false],
  ['deep/other', true],
])('%s', (path, expected) => {
  expect(isIgnored('# All but\n*\n!kept\n!deep/folder\n**/*.log\ndeep/folder/kept\n', path)).toBe(expected);
});
