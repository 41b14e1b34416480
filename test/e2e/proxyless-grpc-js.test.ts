// The npm client @grpc/grpc-js-xds reaches versions through our xDS server, without an Envoy.
import { describe } from 'vitest';
import { proxylessRules } from '../support/proxyless/rules.ts';

const program = {
  command: process.execPath,
  arguments: [new URL('../support/proxyless/grpc-js-process.ts', import.meta.url).pathname],
};

describe('grpc-js', () => {
  proxylessRules(async () => program);
});
