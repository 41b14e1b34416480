/**
 * The names that users choose, as branded strings. Only the parsers here make them, so a value of one of
 * these types has been checked: it is safe in a cluster name, in an exact header match and in a file name.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The name of a service, for example `manager`. */
export type ServiceName = Branded<'ServiceName'>;
/** The name of a version, for example `v42` or `1.8.3`: lower-case, at most 63 characters. */
export type VersionName = Branded<'VersionName'>;
/** The value of the tenant header; any visible text of at most 256 bytes. */
export type TenantName = Branded<'TenantName'>;
/** The name of a listener that proxies open, for example `gateway`. */
export type ListenerName = Branded<'ListenerName'>;

const NAME_PATTERN = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;
/** What a name must look like, in words for error messages. */
export const NAME_RULE =
  'lower-case letters, digits, "." and "-", 1 to 63 characters, beginning and ending with a letter or digit';

/** Whether `text` may be the name of a service, a version or a listener. */
export function isName(text: string): boolean {
  return NAME_PATTERN.test(text);
}

/** A name that breaks NAME_RULE. */
export class InvalidNameError extends Error {
  override readonly name = 'InvalidNameError';
}

function parseName(what: string, text: string): string {
  if (!isName(text)) throw new InvalidNameError(`${what} ${JSON.stringify(text)} must be ${NAME_RULE}`);
  return text;
}

/** Checks and brands a service name. Throws InvalidNameError. */
export function serviceName(text: string): ServiceName {
  return parseName('service name', text) as ServiceName;
}

/** Checks and brands a version name. Throws InvalidNameError. */
export function versionName(text: string): VersionName {
  return parseName('version name', text) as VersionName;
}

/** Checks and brands a listener name. Throws InvalidNameError. */
export function listenerName(text: string): ListenerName {
  return parseName('listener name', text) as ListenerName;
}

const TENANT_PATTERN = /^[\x21-\x7e]([\x20-\x7e]{0,254}[\x21-\x7e])?$/;
/** What a tenant may look like, in words for error messages. */
export const TENANT_RULE = '1 to 256 visible ASCII characters, without a space at either end';

/** Whether `text` may be a tenant. */
export function isTenant(text: string): boolean {
  return TENANT_PATTERN.test(text);
}

/** Checks and brands a tenant. Throws InvalidNameError. */
export function tenantName(text: string): TenantName {
  if (!isTenant(text)) {
    throw new InvalidNameError(`tenant ${JSON.stringify(text)} must be ${TENANT_RULE}`);
  }
  return text as TenantName;
}
