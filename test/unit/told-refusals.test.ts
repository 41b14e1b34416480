// How refusals of the store in custom resources reach whoever asked, and when memory is not to be trusted any more.
import { expect, test, vi } from 'vitest';
import {
  ChangedByAnotherError,
  StoreLimitError,
  StoreRejectedError,
  StoreUnavailableError,
} from '../../src/adapters/kubernetes/store/errors.ts';
import { createMemoryStore } from '../../src/adapters/memory/store.ts';
import { serviceName } from '../../src/model/names.ts';
import { GenerationConflictError, NotLeaderError } from '../../src/ports/store.ts';
import { withToldRefusals } from '../../src/told-refusals.ts';

const service = serviceName('manager');
const unavailable = (mayBeWritten: boolean) =>
  new StoreUnavailableError({ what: 'the API server', mayBeWritten, cause: new Error('timeout') });

test.each([
  [new NotLeaderError('b'), 'Unavailable', false],
  [unavailable(false), 'Unavailable', false],
  [unavailable(true), 'Unavailable', true],
  [new ChangedByAnotherError('changed'), 'Aborted', true],
  [new GenerationConflictError({ service, expected: 2, actual: 3 }), 'Aborted', true],
  [new StoreRejectedError('forbidden'), 'FailedPrecondition', false],
  [new StoreLimitError(service, 'too large'), 'FailedPrecondition', false],
] as const)('%s is %s', async (error, code, isDoubt) => {
  const onDoubt = vi.fn();
  const store = withToldRefusals({ ...createMemoryStore(), commit: () => Promise.reject(error) }, onDoubt);
  await expect(store.commit({})).rejects.toMatchObject({
    name: 'OperationError',
    code,
    message: error.message,
  });
  expect(onDoubt).toHaveBeenCalledTimes(isDoubt ? 1 : 0);
});

test('what is none of them stays as it is, and what is done is done', async () => {
  const broken = withToldRefusals(
    { ...createMemoryStore(), commit: () => Promise.reject(new TypeError('a fault of ours')) },
    () => expect.unreachable(),
  );
  await expect(broken.commit({})).rejects.toThrow(TypeError);
  expect(await withToldRefusals(createMemoryStore(), () => expect.unreachable()).commit({})).toEqual([]);
});
