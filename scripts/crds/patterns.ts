/**
 * Each format of a text as the API server can check it: a regular expression of RE2, which knows no look-ahead, and rules in
 * CEL for what remains. A test asks both of the same texts.
 */
import { ipAddress, socketAddress } from '../../src/spec/address.ts';
import * as kubernetes from '../../src/spec/kubernetes-formats.ts';
import type { TextFormat } from '../../src/spec/text-formats.ts';
import * as format from '../../src/spec/text-formats.ts';
import { timeOfDay } from '../../src/spec/time-of-day.ts';
import { httpUrl } from '../../src/spec/url.ts';
import type { CelRule } from './openapi.ts';

/** What a string must be. */
export interface TextSchema {
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly rules?: readonly CelRule[];
}

const NAME = '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$';
const KUBERNETES_LABEL = '[a-z0-9]([a-z0-9-]*[a-z0-9])?';
const HOST_LABEL = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?';
const HOST = `${HOST_LABEL}(\\.${HOST_LABEL})*`;
const GRPC_NAME = '[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*';
const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const IPV4 = `(${OCTET}\\.){3}${OCTET}`;
/** 1 to 65535 in up to five digits. */
const PORT = [
  '0{0,4}[1-9]',
  '0{0,3}[1-9][0-9]',
  '0{0,2}[1-9][0-9]{2}',
  '0?[1-9][0-9]{3}',
  '[1-5][0-9]{4}',
  '6[0-4][0-9]{3}',
  '65[0-4][0-9]{2}',
  '655[0-2][0-9]',
  '6553[0-5]',
].join('|');

/** A duration as users write it. */
export const DURATION: TextSchema = {
  pattern: '^([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}(\\.[0-9]{1,3})?s)?([0-9]{1,9}ms)?$',
  minLength: 2,
  maxLength: 50,
};

const SCHEMAS: ReadonlyMap<TextFormat, TextSchema> = new Map<TextFormat, TextSchema>([
  [format.nameFormat, { pattern: NAME, maxLength: 63 }],
  [format.systemText, { pattern: '^[^\\x00]*$', maxLength: 4_096 }],
  [format.filePath, { pattern: '^[^\\x00]+$', maxLength: 4_096 }],
  [
    format.environmentName,
    {
      pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
      maxLength: 256,
      rules: [{ rule: "!self.startsWith('SWITCHYARD_')", message: 'must not begin with SWITCHYARD_' }],
    },
  ],
  [
    format.headerName,
    {
      pattern: '^[a-z]([a-z0-9-]{0,62}[a-z0-9])?$',
      maxLength: 64,
      rules: [
        {
          rule: `!(self in [${format.RESERVED_HEADER_NAMES.map((name) => `'${name}'`).join(', ')}])`,
          message: 'is a header with another meaning; choose a name of your own',
        },
        {
          rule: `!(${format.RESERVED_PREFIXES.map((prefix) => `self.startsWith('${prefix}')`).join(' || ')})`,
          message: 'begins with a reserved prefix; choose a name of your own',
        },
        { rule: "!self.endsWith('-bin')", message: 'ends with "-bin", which gRPC keeps for binary values' },
      ],
    },
  ],
  [format.hostName, { pattern: `^${HOST}$`, maxLength: 253 }],
  [format.domain, { pattern: `^(\\*|(\\*\\.)?${HOST})$`, maxLength: 255 }],
  [
    format.pathPrefix,
    {
      pattern: '^(/[\\x21-\\x22\\x24-\\x2e\\x30-\\x3e\\x40-\\x7e]+)+$',
      maxLength: 1_024,
      rules: [
        {
          rule: "!(self + '/').matches('/[.]{1,2}/')",
          message: 'must not hold "." or ".." segments: proxies remove them',
        },
      ],
    },
  ],
  [format.requestPath, { pattern: '^/[\\x21\\x22\\x24-\\x7e]*$', maxLength: 2_048 }],
  [format.grpcService, { pattern: `^${GRPC_NAME}$`, maxLength: 512 }],
  [format.grpcHealthService, { pattern: `^(${GRPC_NAME})?$`, maxLength: 512 }],
  [format.grpcMethod, { pattern: `^/${GRPC_NAME}/[A-Za-z_][A-Za-z0-9_]*$`, maxLength: 512 }],
  [format.notBlank, { pattern: '\\S', maxLength: 16_384 }],
  [format.argumentName, { pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$', maxLength: 64 }],
  [format.labelName, { pattern: '^[A-Za-z_][A-Za-z0-9_]*$', maxLength: 128 }],
  [format.tenant, { pattern: '^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$', maxLength: 256 }],
  [format.headerValue, { pattern: '^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$', maxLength: 1_024 }],
  [
    format.requestHeader,
    {
      pattern: "^[a-z0-9!#$%&'*+.^_`|~-]+$",
      maxLength: 64,
      rules: [
        {
          rule: `!(self in [${format.MADE_HEADERS.map((name) => `'${name}'`).join(', ')}])`,
          message: 'is a header that the request gets by itself: leave it out',
        },
      ],
    },
  ],
  [
    format.httpMethod,
    {
      pattern: '^[A-Z]+$',
      maxLength: 20,
      rules: [{ rule: "self != 'CONNECT'", message: 'must be another method: CONNECT opens a tunnel' }],
    },
  ],
  [format.mirrorMethod, { pattern: `^(${format.IDEMPOTENT_METHODS.join('|')})$`, maxLength: 7 }],
  [kubernetes.kubernetesName, { pattern: `^${KUBERNETES_LABEL}(\\.${KUBERNETES_LABEL})*$`, maxLength: 253 }],
  [kubernetes.kubernetesLabel, { pattern: `^${KUBERNETES_LABEL}$`, maxLength: 63 }],
  [
    kubernetes.gatewayHostname,
    {
      pattern: `^(\\*\\.)?${KUBERNETES_LABEL}(\\.${KUBERNETES_LABEL})*$`,
      maxLength: 253,
      rules: [
        { rule: "!self.matches('^[0-9.]+$')", message: 'must be a host such as api.example.com, no address' },
      ],
    },
  ],
  [kubernetes.kubernetesService, { pattern: '^[a-z]([a-z0-9-]*[a-z0-9])?$', maxLength: 63 }],
  [kubernetes.containerName, { pattern: `^${KUBERNETES_LABEL}$`, maxLength: 63 }],
  [kubernetes.containerImage, { pattern: '^[\\x21-\\x7e]+$', maxLength: 1_024 }],
  [
    kubernetes.containerPort,
    {
      pattern: '^[a-z0-9]*(-[a-z0-9]+)*$',
      minLength: 1,
      maxLength: 15,
      rules: [{ rule: "self.matches('[a-z]') && !self.startsWith('-')", message: 'must hold a letter' }],
    },
  ],
  [kubernetes.percent, { pattern: '^([0-9]|[1-9][0-9]|100)%$', maxLength: 4 }],
  [format.eventAction, { pattern: '^[A-Z][A-Za-z]{1,63}$', maxLength: 64 }],
  [timeOfDay, { pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', maxLength: 5 }],
  [
    httpUrl,
    {
      pattern: '^https?://[^#\\s]+$',
      maxLength: 2_048,
      rules: [{ rule: 'isURL(self)', message: 'must be an address such as http://127.0.0.1:9090' }],
    },
  ],
  [
    ipAddress,
    {
      maxLength: 45,
      rules: [{ rule: 'isIP(self)', message: 'must be an IPv4 or IPv6 address such as 127.0.0.1 or ::1' }],
    },
  ],
  [
    socketAddress,
    {
      pattern: `^(\\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\\]|${IPV4}):(${PORT})$`,
      maxLength: 53,
      rules: [
        {
          rule: "!self.startsWith('[') || isIP(self.substring(1, self.indexOf(']')))",
          message: 'must be an IP address and a port of 1 to 65535, such as 127.0.0.1:9001 or [::1]:9001',
        },
      ],
    },
  ],
]);

/** What the API server checks of a format. Throws where the table lacks it. */
export function patternOf(text: TextFormat): TextSchema {
  const schema = SCHEMAS.get(text);
  if (schema === undefined)
    throw new Error(`scripts/crds/patterns.ts has no schema for the format ${text.name}`);
  return schema;
}

/** Every format, for the test that compares both. */
export const FORMATS: readonly TextFormat[] = [...SCHEMAS.keys()];
