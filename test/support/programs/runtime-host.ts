/**
 * A process that holds a processes runtime as a controller does, so that tests can kill it. Its one argument is JSON:
 * {stateFolder, wishes: [{service, spec, versions}]}. It opens the runtime, wishes, and writes one line of JSON with
 * all instances after each change.
 */
import { systemClock } from '../../../src/adapters/clock.ts';
import { ProcessesRuntime } from '../../../src/adapters/processes/runtime.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import type { ProcessesRuntimeSpec } from '../../../src/model/spec.ts';

export interface HostOrder {
  readonly stateFolder: string;
  readonly wishes: readonly {
    readonly service: string;
    readonly spec: ProcessesRuntimeSpec;
    readonly versions: readonly string[];
  }[];
}

const order = JSON.parse(process.argv[2] ?? '') as HostOrder;
const runtime = await ProcessesRuntime.open({ clock: systemClock, stateFolder: order.stateFolder });
runtime.subscribe(() => {
  const instances = runtime.services().flatMap((service) => runtime.instances(service));
  process.stdout.write(`${JSON.stringify(instances)}\n`);
});
for (const { service, spec, versions } of order.wishes) {
  await runtime.want({ service: serviceName(service), spec, versions: versions.map(versionName) });
}
process.on('SIGTERM', () => {
  void runtime.close().then(() => process.exit(0));
});
// A server keeps a real controller alive; here a timer does.
setInterval(() => undefined, 60_000);
