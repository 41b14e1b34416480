/** The calls that show something and change nothing. */
import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Instant } from '../model/instant.ts';
import { listenerName, serviceName, versionName } from '../model/names.ts';
import type { SocketAddress } from '../model/spec.ts';
import type { RoutingTable } from '../model/table.ts';
import { OperationError, type Operations, type RequestFacts, type ServiceView } from '../operations/types.ts';
import type { Handlers, Request } from './contract.ts';
import { CONTROLLER_STATE, type ControllerWord } from './enums.ts';
import { parseAddress } from './listen.ts';
import { callerOf, exact, invalid, limitOf, named, optionalService, waitOf } from './parse.ts';
import {
  eventToMessage,
  holdToMessage,
  serviceToMessage,
  versionToMessage,
  workCountToMessage,
} from './views.ts';
import { decisionToMessage, proxyToMessage } from './views-routing.ts';

/** What main knows of the controller. */
export interface ControllerInfo {
  /** Of Switchyard. */
  readonly version: string;
  readonly started: Instant;
  /** Where the state lives, in words. */
  readonly store: string;
  /** The number of the last publication; 0 before the first. */
  readonly publication: number;
  readonly state: ControllerWord;
  /** Why it is not ready; empty when it is. */
  readonly reason: string;
  readonly endpoints: readonly { readonly name: string; readonly address: string }[];
}

/** What an exported Envoy is told beside the table. */
export interface ExportSettings {
  /** Where its own admin interface listens. */
  readonly admin: SocketAddress;
  /** Writes a line for each request to standard output. */
  readonly accessLog: boolean;
}

/** What the calls need beside the operations. */
export interface ReadSources {
  readonly operations: Operations;
  readonly info: () => ControllerInfo;
  /** The table as a static Envoy configuration, as JSON text. */
  readonly exportEnvoy: (table: RoutingTable, settings: ExportSettings) => string;
  /** Called after `Down` has answered: ends the controller. */
  readonly onDown: () => void;
}

export type ReadHandlers = Pick<
  Handlers,
  | 'getInfo'
  | 'getService'
  | 'listServices'
  | 'listVersions'
  | 'getOpenWork'
  | 'listHolds'
  | 'listProxies'
  | 'explain'
  | 'listEvents'
  | 'getTable'
  | 'exportEnvoy'
  | 'backup'
  | 'down'
>;

/** How long instances may take to stop where the caller does not say, in milliseconds. */
const DEFAULT_DOWN = 60_000;
const DEFAULT_ENVOY_ADMIN = '127.0.0.1:9901';

export function readHandlers(sources: ReadSources): ReadHandlers {
  const { operations } = sources;
  const chosen = (service: string): readonly ServiceView[] =>
    service === '' ? operations.services() : [operations.service(named('service', service, serviceName))];

  return {
    async getInfo() {
      const { started, state, publication, endpoints, ...facts } = sources.info();
      return {
        ...facts,
        started: timestampFromMs(started),
        publication: BigInt(publication),
        state: CONTROLLER_STATE[state],
        endpoints: [...endpoints],
      };
    },
    async getService({ name }) {
      return {
        service: serviceToMessage(operations.service(named('name', name, serviceName)), 'withDocument'),
      };
    },
    async listServices() {
      return { services: operations.services().map((view) => serviceToMessage(view, 'withoutDocument')) };
    },
    async listVersions({ service }) {
      return {
        versions: chosen(service).flatMap((view) =>
          view.versions.map((version) => versionToMessage(view.record.name, version)),
        ),
      };
    },
    async listHolds({ service }) {
      return {
        holds: chosen(service).flatMap((view) =>
          view.record.holds.map((hold) => holdToMessage(view.record.name, hold)),
        ),
      };
    },
    async getOpenWork({ service, version }, { signal }) {
      const count = await operations.openWork({
        service: named('service', service, serviceName),
        version: named('version', version, versionName),
        signal,
      });
      return { work: workCountToMessage(count) };
    },
    async listProxies() {
      return proxiesMessage(sources);
    },
    async explain(request) {
      const { service, listener } = request;
      return decisionToMessage(
        operations.explain({
          ...(service !== '' && { service: named('service', service, serviceName) }),
          ...(listener !== '' && { listener: named('listener', listener, listenerName) }),
          request: requestFacts(request),
        }),
      );
    },
    async listEvents({ service, afterSequence, limit }) {
      const only = optionalService('service', service);
      const events = await operations.events({
        ...(only && { service: only }),
        ...(afterSequence === undefined
          ? { newest: true }
          : { afterSequence: exact('after_sequence', afterSequence) }),
        limit: limitOf(limit),
      });
      return { events: events.map(eventToMessage) };
    },
    async getTable() {
      return { json: `${JSON.stringify(operations.table(), null, 2)}\n` };
    },
    async exportEnvoy({ adminAddress, accessLog }) {
      const admin = addressOf('admin_address', adminAddress || DEFAULT_ENVOY_ADMIN);
      return { config: sources.exportEnvoy(operations.table(), { admin, accessLog }) };
    },
    async backup({ file }) {
      if (!isAbsolute(file)) throw invalid('file', `${JSON.stringify(file)} must be an absolute path`);
      await operations.backup(file).catch((error: unknown) => {
        throw new OperationError('FailedPrecondition', `no backup was written: ${messageOf(error)}`);
      });
      return { file };
    },
    async down({ actor, reason, timeout }, { signal }) {
      const { stopped } = await operations.down({
        caller: callerOf({ actor, reason, prefix: '' }),
        timeout: timeout === undefined ? DEFAULT_DOWN : waitOf('timeout', timeout),
        signal,
      });
      setImmediate(sources.onDown);
      return { stopped: [...stopped] };
    },
  };
}

/** All proxies and the publication that they should be at. */
export function proxiesMessage({ operations, info }: ReadSources) {
  return {
    proxies: operations.proxies().map(proxyToMessage),
    publication: BigInt(info().publication),
  };
}

function requestFacts(request: Request<'explain'>): RequestFacts {
  const { host, path, headers, sourceAddress, grpc } = request;
  if (host === '')
    throw invalid('host', 'is empty; give the authority of the request, for example `api.example.com`');
  if (path !== '' && !path.startsWith('/'))
    throw invalid('path', `${JSON.stringify(path)} must begin with "/"`);
  if (sourceAddress !== '' && isIP(sourceAddress) === 0)
    throw invalid(
      'source_address',
      `${JSON.stringify(sourceAddress)} must be an IP address, for example 192.0.2.7`,
    );
  return {
    host,
    path: path === '' ? '/' : path,
    headers: headers.map(({ name, value }) => [name, value] as const),
    ...(sourceAddress !== '' && { sourceAddress }),
    ...(grpc !== undefined && { grpc }),
  };
}

function addressOf(field: string, text: string): SocketAddress {
  const address = parseAddress(text);
  if (address === undefined)
    throw invalid(field, `${JSON.stringify(text)} must be host:port, for example 127.0.0.1:9901`);
  return address;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
