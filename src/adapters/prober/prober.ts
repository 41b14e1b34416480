/**
 * The Prober port: probes go straight to each ready instance and not through a proxy, with the pin that names the
 * version, so that they need no route and see each instance by itself. Webhook gates are asked over HTTP.
 */
import type { Instance } from '../../model/instance.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ProbeAnswer, Prober } from '../../ports/prober.ts';
import { askAll } from '../instance-round.ts';
import { probeCommand } from './command.ts';
import { confirm } from './confirm.ts';
import { probeGrpc } from './grpc.ts';
import { probeHttp } from './http.ts';
import { type InstanceAnswer, verdictOf } from './verdict.ts';

export interface ProberOptions {
  readonly clock: Clock;
  /** Webhooks are signed with it; absent: they are not signed. */
  readonly secret?: string | undefined;
  /** `--allow-commands`: whether probes may start programs. */
  readonly allowCommands: boolean;
}

const NO_COMMANDS =
  'it is a command, and the controller runs commands only with --allow-commands (a state of a controller that did may name one)';

export function createProber({ clock, secret, allowCommands }: ProberOptions): Prober {
  return {
    async probe({ metric, pinHeader, instances, signal }) {
      if (metric.kind === 'command' && !allowCommands) return { kind: 'error', reason: NO_COMMANDS };
      const ask = (instance: Instance): Promise<InstanceAnswer> => {
        switch (metric.kind) {
          case 'http':
            return probeHttp({ metric, instance, pinHeader, signal });
          case 'grpc':
            return probeGrpc({ metric, instance, pinHeader, signal });
          case 'command':
            return probeCommand({ metric, instance, signal });
        }
      };
      const ready = instances.filter(({ state }) => state === 'Ready');
      return verdictOf(await askAll({ instances: ready, ask }));
    },
    async confirm({ metric, facts, signal }): Promise<ProbeAnswer> {
      try {
        return await confirm({ metric, facts, signal, clock, secret });
      } catch (error) {
        return { kind: 'error', reason: `${metric.url}: ${(error as Error).message}` };
      }
    },
  };
}
