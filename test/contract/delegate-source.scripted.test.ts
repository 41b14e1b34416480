import { instant } from '../../src/model/instant.ts';
import { serviceName } from '../../src/model/names.ts';
import { ScriptedDelegates } from '../support/scripted-delegates.ts';
import { delegateSourceContract } from './delegate-source.ts';

delegateSourceContract('the scripted delegates of the tests', async () => {
  const scripted = new ScriptedDelegates();
  return {
    source: scripted,
    request: {
      source: { kind: 'grpc' },
      service: serviceName('manager'),
      since: instant(0),
      instances: [],
    },
    connect: (delegates) => {
      scripted.connected = delegates;
    },
    answering: (does) => {
      scripted.problem = does ? undefined : 'no manager answers';
    },
    close: async () => undefined,
  };
});
