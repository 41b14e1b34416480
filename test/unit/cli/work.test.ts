import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { certificateText, splitText } from '../../../src/cli/views/work.ts';
import { DrainCertificate, WorkSplitSchema } from '../../../src/gen/switchyard/admin/v1/resources_pb.js';

const text = (split: MessageInitShape<typeof WorkSplitSchema>) => splitText(create(WorkSplitSchema, split));

describe('open work in words', () => {
  test('names what there is, with where events and tasks are, and leaves out what there is not', () => {
    expect(
      text({
        executions: 1_204n,
        events: { queued: 2n, leased: 0n, delayed: 4n },
        tasks: { queued: 0n, leased: 1n, delayed: 0n },
        deadLetters: 2n,
      }),
    ).toBe('1,204 executions, 6 events (2 queued, 4 delayed), 1 task (1 leased), 2 dead letters');
    expect(text({ executions: 1n })).toBe('1 execution');
  });

  test('is empty where nothing is open, and where the source knows only the total', () => {
    expect(text({})).toBe('');
    expect(splitText(undefined)).toBe('');
  });

  test('says how sure a zero is, and nothing where it was not counted', () => {
    expect(certificateText(DrainCertificate.ATOMIC)).toBe('certificate: atomic');
    expect(certificateText(DrainCertificate.OBSERVED)).toBe('certificate: observed');
    expect(certificateText(DrainCertificate.UNSPECIFIED)).toBe('');
  });
});
