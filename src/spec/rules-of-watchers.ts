/** Field rules of the documents on a delegate's box (watcher.proto): part of the table in rules.ts. */
import { DELEGATE_ID_RULE, isDelegateId } from '../model/workflow.ts';
import { type FieldRules, HOUR, MINUTE, SECOND } from './field-rule.ts';
import * as format from './text-formats.ts';
import { exactly, type TextFormat } from './text-formats.ts';

const API_VERSION = 'switchyard.dev/v1alpha1';
const WATCHER_KIND = 'Watcher';
const WATCHER_POLICY_KIND = 'WatcherPolicy';

const MIB: readonly [number, number] = [1, 1_073_741_824];

const watcherId: TextFormat = (text) =>
  isDelegateId(text) ? undefined : `must be ${DELEGATE_ID_RULE}, such as box-17`;

const hostAndPort: TextFormat = (text) => {
  const port = Number(/^(?:\[[0-9a-fA-F:.]+\]|[^:[\]\s/]+):(\d{1,5})$/.exec(text)?.[1]);
  return port >= 1 && port <= 65_535
    ? undefined
    : 'must be host:port without a scheme, such as gateway.example.com:443';
};

/** Bytes of a path; the watcher's own socket lies there, and Linux takes 107 bytes as the address of one. */
const LONGEST_DATA_FOLDER = 107 - '/watcher.sock'.length;

const dataFolder: TextFormat = (text) =>
  new TextEncoder().encode(text).length > LONGEST_DATA_FOLDER
    ? `must be at most ${LONGEST_DATA_FOLDER} bytes long: the watcher's socket lies there`
    : format.filePath(text);

const versionPattern: TextFormat = (text) =>
  /^[a-z0-9.*-]{1,63}$/.test(text)
    ? undefined
    : 'must be the name of a version, in which "*" stands for any characters, such as v4* or 1.8.*';

const hostPattern: TextFormat = (text) =>
  text === '*' ? undefined : format.hostName(text.startsWith('*.') ? text.slice(2) : text);

export const WATCHER_RULES: FieldRules = {
  'Watcher.apiVersion': { required: `write ${API_VERSION}`, text: exactly(API_VERSION) },
  'Watcher.kind': { required: `write ${WATCHER_KIND}`, text: exactly(WATCHER_KIND) },
  'Watcher.spec': { required: 'write who the watcher is: id, service, tenant, controller, publicKeyFiles' },
  'WatcherSpec.id': { required: 'write a name for this box, such as box-17', text: watcherId },
  'WatcherSpec.service': {
    required: 'write the service whose delegates run here',
    text: format.nameFormat,
  },
  'WatcherSpec.tenant': { required: 'write the tenant that the box belongs to', text: format.tenant },
  'WatcherSpec.group': { default: 'default', text: format.nameFormat },
  'WatcherSpec.tags': { size: [0, 32], unique: 'value', text: format.nameFormat },
  'WatcherSpec.maxVersions': { default: '3', range: [1, 20] },
  'WatcherSpec.controller': {
    required: 'write where goal states come from, such as {address: "gateway.example.com:443", tls: true}',
  },
  'WatcherSpec.publicKeyFiles': {
    required:
      'write the files of the public keys that may sign artifacts, such as [/etc/switchyard/release.pub]',
    size: [1, 10],
    unique: 'value',
    text: format.filePath,
  },
  'WatcherSpec.policyFile': { text: format.filePath },
  'WatcherSpec.dataFolder': { default: '/var/lib/switchyard-watcher', text: dataFolder },
  'WatcherSpec.ports': { default: '{from: 9700, to: 9799}' },
  'WatcherSpec.environment': { size: [0, 1_000], keys: format.environmentName, text: format.systemText },
  'WatcherSpec.startDeadline': { default: '5m', range: [SECOND, 24 * HOUR] },
  'WatcherController.address': {
    required: 'write the address of the controller or of a gateway that leads to it, as host:port',
    text: hostAndPort,
  },
  'WatcherController.tls': { default: 'false' },
  'WatcherController.caFile': { text: format.filePath },

  'WatcherPolicy.apiVersion': { required: `write ${API_VERSION}`, text: exactly(API_VERSION) },
  'WatcherPolicy.kind': { required: `write ${WATCHER_POLICY_KIND}`, text: exactly(WATCHER_POLICY_KIND) },
  'WatcherPolicy.spec': { default: '{}' },
  'WatcherPolicySpec.windows': { size: [0, 20] },
  'WatcherPolicySpec.maxVersions': { default: '20', range: [1, 20] },
  'WatcherPolicySpec.allowedVersions': {
    default: '["*"]',
    size: [1, 100],
    unique: 'value',
    text: versionPattern,
  },
  'WatcherPolicySpec.allowedHosts': {
    default: '["*"]',
    size: [0, 100],
    unique: 'value',
    text: hostPattern,
  },
  'WatcherPolicySpec.decommission': { default: 'false' },
  'WatcherPolicySpec.limits': { default: '{}' },
  'WatcherPolicySpec.drainTimeout': { range: [SECOND, 30 * 24 * 60 * MINUTE] },
  'WatcherLimits.memoryMib': { range: [16, 1_048_576] },
  'WatcherLimits.niceness': { default: '0', range: [0, 19] },
  'WatcherLimits.diskMib': { range: MIB },
  'WatcherLimits.keepFreeMib': { default: '256', range: [0, MIB[1]] },
  'WatcherLimits.artifactMib': { default: '2048', range: [1, 1_048_576] },
};
