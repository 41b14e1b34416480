/**
 * IP addresses and `address:port` as users write them. IPv6 addresses get their one canonical text (RFC 5952), so
 * that equal addresses are equal text.
 */
import type { SocketAddress } from '../model/spec.ts';
import type { TextFormat } from './text-formats.ts';

const IPV4_PATTERN = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/;

/** The canonical text of an IPv4 or IPv6 address, or undefined where `text` is none. */
export function canonicalAddress(text: string): string | undefined {
  if (IPV4_PATTERN.test(text)) return text;
  if (!/^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text)) return undefined;
  const url = `http://[${text}]/`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined;
}

/** `127.0.0.1:9001` or `[::1]:9001` as its parts, or undefined where `text` is neither. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const match = /^(?:\[([^\]]*:[^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const host = canonicalAddress(match?.[1] ?? match?.[2] ?? '');
  const port = Number(match?.[3]);
  return host === undefined || !(port >= 1 && port <= 65_535) ? undefined : { host, port };
}

/** The reverse of parseSocketAddress. */
export function formatSocketAddress({ host, port }: SocketAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An IP address. */
export const ipAddress: TextFormat = (text) => {
  if (canonicalAddress(text) !== undefined) return undefined;
  const bracketed = canonicalAddress(text.replace(/^\[(.*)\]$/, '$1'));
  return bracketed === undefined
    ? 'must be an IPv4 or IPv6 address such as 127.0.0.1 or ::1'
    : `must be without brackets: write "${bracketed}"`;
};

/** An IP address and a port. */
export const socketAddress: TextFormat = (text) => {
  if (parseSocketAddress(text) !== undefined) return undefined;
  if (canonicalAddress(text) !== undefined) {
    const example = formatSocketAddress({ host: text, port: 9001 });
    return `must end with a port, and an IPv6 address needs brackets, such as ${example}`;
  }
  const [, name, port] = /^([A-Za-z][A-Za-z0-9.-]*):(\d{1,5})$/.exec(text) ?? [];
  if (name !== undefined) return `must be an IP address and a port, not a host name: 127.0.0.1:${port}`;
  return 'must be an IP address and a port of 1 to 65535, such as 127.0.0.1:9001 or [::1]:9001';
};
