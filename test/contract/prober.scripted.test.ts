import { anInstance } from '../support/records.ts';
import { ScriptedProber } from '../support/scripted-prober.ts';
import { proberContract } from './prober.ts';

proberContract('the scripted prober of the tests', async () => {
  const prober = new ScriptedProber();
  return {
    prober,
    metric: { kind: 'grpc', service: '', timeout: 1_000 },
    webhook: { kind: 'webhook', url: 'http://gate.example.com/', timeout: 1_000 },
    instances: [anInstance('v2')],
    instancesAnswer(how) {
      prober.instances = {
        well: { kind: 'approved', detail: 'SERVING' } as const,
        badly: { kind: 'refused', detail: 'NOT_SERVING' } as const,
        'not at all': { kind: 'error', reason: 'nothing listens there' } as const,
      }[how];
    },
    receiverDecides(what) {
      prober.receivers = {
        approve: { kind: 'approved', detail: 'answered 200' } as const,
        refuse: { kind: 'refused', detail: 'answered 403' } as const,
        wait: { kind: 'undecided', detail: 'answered 503' } as const,
        nothing: { kind: 'error', reason: 'no answer' } as const,
      }[what];
    },
    close: async () => undefined,
  };
});
