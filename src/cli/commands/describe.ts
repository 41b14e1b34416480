/** `describe`: one service as a tree: its traffic, its versions, their instances, its holds, what is wrong. */
import { GetServiceResponseSchema } from '../../gen/switchyard/admin/v1/admin_service_pb.js';
import type { Version } from '../../gen/switchyard/admin/v1/resources_pb.js';
import { visible } from '../../model/text.ts';
import { soon, withClient } from '../connection.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { type HealthFacts, healthOf } from '../health.ts';
import { isForMachines, printMessage } from '../output.ts';
import { ifThere } from '../refused.ts';
import { type Context, type Paint, print } from '../shell.ts';
import { age } from '../time.ts';
import { instanceText } from '../views/instances.ts';
import { syncWord } from '../views/proxies.ts';
import { freezeText, rolloutStateText } from '../views/rollout-words.ts';
import { readyText, rolesOf, stateText } from '../views/services.ts';

export async function describe(context: Context, name: string): Promise<ExitCode> {
  const [answer, { proxies }, found] = await withClient(context, 'read', (client) =>
    Promise.all([
      client.call('getService', { name }, soon()),
      client.call('listProxies', {}, soon()),
      ifThere(client.call('getRollout', { service: name }, soon())),
    ]),
  );
  const { service } = answer;
  const rollout = found?.view?.rollout;
  if (isForMachines(context)) await printMessage(context, GetServiceResponseSchema, answer);
  else if (service !== undefined) {
    const facts = { service, proxies, ...(rollout && { rollout }) };
    print(context, tree(context.paint, facts, Date.now()).join('\n'));
  }
  return EXIT.ok;
}

function tree(paint: Paint, health: HealthFacts, now: number): string[] {
  const { service, proxies, rollout } = health;
  const { phase, reasons } = healthOf(health);
  const { primary, candidate, weight, previous } = rolesOf(service);
  const inSync = proxies.filter((proxy) => syncWord(proxy) === 'InSync').length;
  const facts: [string, string][] = [
    ['Name', service.name],
    ['Status', `${phase === 'Degraded' ? paint.bad(phase) : phase}: ${reasons.join('; ')}`],
    ['Generation', String(service.generation)],
    ['Wanted', service.wantedVersion],
    [
      'Primary',
      candidate === '' ? primary || 'none' : `${primary} (${100 - weight}%), ${candidate} (${weight}%)`,
    ],
    ...(rollout
      ? [['Rollout', `${rollout.id} ${rolloutStateText(paint, rollout.state)}`] as [string, string]]
      : []),
    ...(service.freeze ? [['Freeze', visible(freezeText(service.freeze, now))] as [string, string]] : []),
    ['Rollback', previous === '' ? 'no previous version' : `to ${previous}`],
    [
      'Listeners',
      service.listeners.map(({ name, address, port }) => `${name} on ${address}:${port}`).join(', '),
    ],
    ['Proxies', `${inSync} of ${proxies.length} in sync`],
  ];
  return [
    ...facts.map(([label, text]) => `${`${label}:`.padEnd(12)}${text}`),
    '',
    ...service.versions.flatMap((version, index) =>
      branch(paint, version, { isLast: index === service.versions.length - 1, now }),
    ),
    ...service.holds.map(({ tenant, version, expires, reason }) => {
      const left =
        expires === undefined ? '' : `, until ${new Date(Number(expires.seconds) * 1000).toISOString()}`;
      return `hold ${tenant} on ${version}${left}: ${reason}`;
    }),
  ];
}

function branch(paint: Paint, version: Version, place: { isLast: boolean; now: number }): string[] {
  const { name, weight, since, instances } = version;
  const stem = place.isLast ? '└──' : '├──';
  const rail = place.isLast ? '   ' : '│  ';
  const head = `${stem} ${name}  ${stateText(paint, version)}  ${weight}%  ${readyText(version)} ready  ${age(since, place.now)}`;
  return [
    head,
    ...instances.map((instance, index) => {
      const twig = index === instances.length - 1 ? '└──' : '├──';
      return `${rail} ${twig} ${instanceText(paint, instance)}`;
    }),
  ];
}
