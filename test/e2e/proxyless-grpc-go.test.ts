// grpc-go reaches versions through our xDS server, without an Envoy. Its program is in test/go.
import { describe } from 'vitest';
import { goProgram } from '../support/go-program.ts';
import { proxylessRules } from '../support/proxyless/rules.ts';

describe('grpc-go', () => {
  proxylessRules(async () => ({
    command: await goProgram('grpc-go as a proxyless client', {
      name: 'proxyless-client',
      module: 'test/go',
      package: '.',
    }),
    arguments: [],
  }));
});
