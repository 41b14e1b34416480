/** A check that cannot see gRPC calls fail is warned of where the service speaks gRPC. */
import { expect, test } from 'vitest';
import { lintService } from '../../../src/spec/lint.ts';
import { aSpec, aTraffic, aVerification } from '../../support/records.ts';

const verification = aVerification();
const found = (replaced: Parameters<typeof aSpec>[0]): readonly string[] =>
  lintService(aSpec({ verification, ...replaced }))
    .map(({ message }) => message)
    .filter((message) => message.includes('gRPC call fail'));

test('a success rate of a service that speaks gRPC is warned of', () => {
  const { pin } = aSpec();
  const allow = { kind: 'scoped', hosts: [], paths: [], grpcServices: ['pipeline.v1.Tasks'] } as const;
  expect(found({ pin: { ...pin, allow } })).toHaveLength(1);
  const mirror = { percent: 10, methods: [], grpcMethods: ['/pipeline.v1.Tasks/Get'] };
  expect(found({ traffic: aTraffic({ mirror }) })).toHaveLength(1);
});

test('a success rate of any other service is not', () => {
  expect(found({})).toEqual([]);
});
