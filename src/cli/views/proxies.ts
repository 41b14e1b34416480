/** Proxies and events as tables. */
import { PROXY_KIND, wordOf, XDS_PROTOCOL } from '../../admin/enums.ts';
import type { Event, Proxy, ResourceTypeProgress } from '../../gen/switchyard/admin/v1/resources_pb.js';
import type { ListView } from '../output.ts';
import type { Paint } from '../shell.ts';
import { age, clockTime } from '../time.ts';

export function proxiesView(paint: Paint, now: number): ListView<Proxy> {
  return {
    columns: [
      { heading: 'PROXY', text: ({ id }) => id },
      { heading: 'KIND', text: ({ kind }) => wordOf(PROXY_KIND, kind) },
      { heading: 'STATE', text: syncWord, paint: (word) => paintWord(paint, word) },
      { heading: 'PUBLICATION', text: ({ publication }) => String(publication) },
      {
        heading: 'ROUTES',
        text: ({ connection }) => (connection ? String(connection.routesPublication) : ''),
      },
      {
        heading: 'PROTOCOL',
        text: ({ connection }) => (connection ? wordOf(XDS_PROTOCOL, connection.protocol) : ''),
        wide: true,
      },
      { heading: 'ADDRESS', text: ({ connection }) => connection?.address ?? '', wide: true },
      { heading: 'AGENT', text: ({ connection }) => connection?.userAgent ?? '', wide: true },
      { heading: 'TYPES', text: typesText, wide: true },
      { heading: 'SEEN', text: ({ lastSeen }) => age(lastSeen, now) },
      { heading: 'REJECTION', text: (proxy) => rejectionText(proxy) || pastRejectionText(proxy) },
    ],
    name: ({ id }) => `proxy/${id}`,
    empty: 'no proxies; `switchyard bootstrap` prints the configuration that makes an Envoy connect',
  };
}

/** `InSync`, `Behind`, `Rejected` or `Away`. */
export function syncWord(proxy: Proxy): 'InSync' | 'Behind' | 'Rejected' | 'Away' {
  if (!proxy.connected) return 'Away';
  if (rejectionText(proxy) !== '') return 'Rejected';
  return proxy.inSync ? 'InSync' : 'Behind';
}

function paintWord(paint: Paint, word: string): string {
  if (word === 'InSync') return paint.good(word);
  return word === 'Rejected' ? paint.bad(word) : paint.busy(word);
}

/** The first rejection, on one line. */
export function rejectionText({ connection }: Proxy): string {
  return firstRejection(connection?.types ?? []);
}

/** What it rejected before its connection ended. */
function pastRejectionText({ pastRejections }: Proxy): string {
  const text = firstRejection(pastRejections);
  return text === '' ? '' : `earlier: ${text}`;
}

function firstRejection(types: readonly ResourceTypeProgress[]): string {
  const rejected = types.find(({ rejection }) => rejection !== undefined);
  return rejected?.rejection === undefined ? '' : `${rejected.type}: ${oneLine(rejected.rejection.message)}`;
}

function typesText({ connection }: Proxy): string {
  return connection?.types.map(({ type, publication }) => `${type}@${publication}`).join(',') ?? '';
}

export function eventsView(): ListView<Event> {
  return {
    columns: [
      { heading: 'SEQ', text: ({ sequence }) => String(sequence) },
      { heading: 'TIME', text: ({ at }) => clockTime(at) },
      { heading: 'ACTOR', text: ({ actor }) => actor },
      { heading: 'ACTION', text: ({ action }) => action },
      { heading: 'SERVICE', text: ({ service }) => service, wide: true },
      {
        heading: 'MESSAGE',
        text: eventText,
      },
    ],
    name: ({ sequence }) => `event/${sequence}`,
    empty: 'no events',
  };
}

/** What was done, and why where that says more. */
function eventText({ message, reason }: Event): string {
  return oneLine(reason === '' || message.includes(reason) ? message : `${message} (${reason})`);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
