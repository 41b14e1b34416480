/** The replicas of one controller, each with a gate of its own before the API server, and who of them leads. */
import { join } from 'node:path';
import { LEASE } from '../../../../src/adapters/kubernetes/client/kinds.ts';
import type { KubernetesObject } from '../../../../src/adapters/kubernetes/client/objects.ts';
import { adminClient } from '../../../../src/admin/client.ts';
import type { RequestInit, Response, UnaryMethod } from '../../../../src/admin/contract.ts';
import { eventually } from '../../eventually.ts';
import type { Program } from '../../system/controller.ts';
import { ReplicaProcess } from '../replica.ts';
import type { TestNamespace } from '../shared-cluster.ts';
import { ApiGate } from './api-gate.ts';

interface Lease extends KubernetesObject {
  readonly spec: { readonly holderIdentity?: string };
}

/** One replica: its process, which is another one after a restart, and its gate. */
export interface Member {
  readonly number: number;
  readonly process: ReplicaProcess;
  readonly gate: ApiGate;
}

const LEADS_WITHIN_MS = 60_000;
const CALL_WITHIN_MS = 3_000;

export class Replicas {
  readonly #place: TestNamespace;
  readonly #folder: string;
  readonly #members: Member[] = [];
  /** Replicas that are asked last: they were stopped or cut off. */
  readonly #avoided = new Set<number>();

  private constructor(place: TestNamespace, folder: string) {
    this.#place = place;
    this.#folder = folder;
  }

  /** Starts them, and waits until each serves proxies. Logs are kept in `folder`. */
  static async start(
    place: TestNamespace,
    { count, folder }: { readonly count: number; readonly folder: string },
  ): Promise<Replicas> {
    const replicas = new Replicas(place, folder);
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    try {
      await Promise.all(numbers.map((number) => replicas.#add(number)));
    } catch (error) {
      await replicas.stop();
      throw error;
    }
    return replicas;
  }

  get all(): readonly Member[] {
    return this.#members;
  }

  /** Those whose processes run, the ones to be avoided last. */
  get running(): readonly Member[] {
    const isAvoided = ({ number }: Member): number => (this.#avoided.has(number) ? 1 : 0);
    return this.#members
      .filter(({ process }) => process.isRunning)
      .toSorted((one, other) => isAvoided(one) - isAvoided(other));
  }

  /** Who holds the Lease, among those that run and are none of these. */
  async leader({ not }: { readonly not?: Member } = {}): Promise<Member> {
    return eventually(async () => (await this.holder(not)) ?? undefined, {
      what: 'a leader',
      within: LEADS_WITHIN_MS,
      every: 50,
    });
  }

  /** Who holds the Lease now. */
  async holder(not?: Member): Promise<Member | undefined> {
    const { api, namespace } = this.#place;
    const { spec } = await api.get<Lease>(LEASE, { namespace, name: 'switchyard-controller' });
    return this.#members.find(
      ({ process, number }) =>
        process.isRunning && number !== not?.number && spec.holderIdentity?.startsWith(`${process.name}@`),
    );
  }

  /** Asks others first from now on. */
  avoid({ number }: Member): void {
    this.#avoided.add(number);
  }

  /** It may be asked as the others are. */
  trust({ number }: Member): void {
    this.#avoided.delete(number);
  }

  isTrusted({ number }: Member): boolean {
    return !this.#avoided.has(number);
  }

  /** Starts the process of one that has ended again; `program`: of another release. */
  async restart({ number }: Member, program?: Program): Promise<void> {
    const index = this.#members.findIndex((member) => member.number === number);
    const gate = this.#members[index]?.gate;
    if (gate === undefined) throw new Error(`there is no replica ${number}`);
    this.#members[index] = { number, gate, process: await this.#start(number, gate, program) };
    this.#avoided.delete(number);
  }

  /** Calls the admin API at whichever replica answers. */
  async call<M extends UnaryMethod>(method: M, request: RequestInit<M>): Promise<Response<M>> {
    let last: unknown = new Error('no replica runs');
    for (const { process } of this.running) {
      const client = adminClient(process.server);
      try {
        return await client.call(method, request, new Date(Date.now() + CALL_WITHIN_MS));
      } catch (error) {
        last = error;
      } finally {
        client.close();
      }
    }
    throw last;
  }

  /** The ends of their logs. */
  logs(): string {
    return this.#members.map(({ process }) => `${process.name}\n${process.log()}`).join('\n');
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#members.map(async ({ process, gate }) => {
        gate.heal();
        process.signal('SIGCONT');
        await process.stop();
        await gate.close();
      }),
    );
  }

  async #add(number: number): Promise<void> {
    const file = join(this.#folder, `gate-${number}.kubeconfig`);
    const gate = await ApiGate.before(this.#place.kubeconfig, file);
    try {
      this.#members.push({ number, gate, process: await this.#start(number, gate) });
    } catch (error) {
      await gate.close();
      throw error;
    }
  }

  #start(number: number, { kubeconfig }: ApiGate, program?: Program): Promise<ReplicaProcess> {
    const { namespace } = this.#place;
    return ReplicaProcess.start(
      { namespace, kubeconfig },
      {
        number,
        folder: this.#folder,
        ...(program === undefined ? {} : { program }),
      },
    );
  }
}
