/** A Prober that answers what a test sets. test/contract/prober.ts holds it to what the real one does. */
import type { ProbeAnswer, Prober } from '../../src/ports/prober.ts';

const ENDED: ProbeAnswer = { kind: 'error', reason: 'the round was ended before it answered' };

export class ScriptedProber implements Prober {
  /** What every ready instance answers to a probe. */
  instances: ProbeAnswer = { kind: 'approved', detail: 'GET /healthz answered 200' };
  /** What receivers of webhooks decide. */
  receivers: ProbeAnswer = { kind: 'approved', detail: 'answered 200' };
  /** What was asked, oldest first. */
  readonly probes: Parameters<Prober['probe']>[0][] = [];
  readonly confirmations: Parameters<Prober['confirm']>[0][] = [];

  async probe(request: Parameters<Prober['probe']>[0]): Promise<ProbeAnswer> {
    this.probes.push(request);
    if (request.signal.aborted) return ENDED;
    if (!request.instances.some(({ state }) => state === 'Ready')) {
      return { kind: 'error', reason: 'no instance of the version is ready to be asked' };
    }
    return this.instances;
  }

  async confirm(request: Parameters<Prober['confirm']>[0]): Promise<ProbeAnswer> {
    this.confirmations.push(request);
    return request.signal.aborted ? ENDED : this.receivers;
  }
}
