/** Names of Kubernetes as its API server takes them, and parts of a whole. */
import type { TextFormat } from './text-formats.ts';

/** The name of most objects: a subdomain of DNS. */
export const kubernetesName: TextFormat = (text) =>
  text.length <= 253 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(text)
    ? undefined
    : 'must be a name of Kubernetes: lower-case letters, digits, "-" and ".", up to 253 characters';

/** The name of a Service: a label of DNS that begins with a letter. */
export const kubernetesService: TextFormat = (text) =>
  /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)
    ? undefined
    : 'must be the name of a Service: lower-case letters, digits and "-", 1 to 63 characters, beginning with a letter';

/** The name of a namespace: a label of DNS. */
export const kubernetesLabel: TextFormat = (text) =>
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)
    ? undefined
    : 'must be the name of a namespace: lower-case letters, digits and "-", 1 to 63 characters';

/** A host of the Gateway API: a name, or all names below one. Addresses and `*` alone are none. */
export const gatewayHostname: TextFormat = (text) => {
  const isHost = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(text);
  const isAddress = /^[0-9.]+$/.test(text);
  return isHost && !isAddress && text.length <= 253
    ? undefined
    : 'must be a host such as api.example.com or *.example.com: lower-case, without a port';
};

/** The name of a container: a label of DNS. */
export const containerName: TextFormat = (text) =>
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)
    ? undefined
    : 'must be the name of a container: lower-case letters, digits and "-", 1 to 63 characters';

/** An image, as a container has it; `${version}` may stand in it. */
export const containerImage: TextFormat = (text) =>
  /^[\x21-\x7e]{1,1024}$/.test(text)
    ? undefined
    : 'must be an image such as registry.example.com/manager:${version}';

const PORT_RULE =
  'must be a port of 1 to 65535, or the name of a container\'s port: up to 15 lower-case letters, digits and single "-", one of them a letter';

/** The name of a container's port: https://www.rfc-editor.org/rfc/rfc6335#section-5.1. */
export const containerPort: TextFormat = (text) => {
  if (/^\d+$/.test(text)) return 'must be a number: leave the quotes out';
  return /^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/.test(text) && /[a-z]/.test(text) && !text.includes('--')
    ? undefined
    : PORT_RULE;
};

/** A part of a whole. */
export const percent: TextFormat = (text) =>
  /^([0-9]|[1-9][0-9]|100)%$/.test(text) ? undefined : 'must be a number, or a part of 0% to 100%';
