/** The custom resources of Switchyard, as CustomResourceDefinitions. */
import { VersionedServiceSpecSchema } from '../../src/gen/switchyard/config/v1/config_pb.js';
import { manifestText } from '../../src/install/manifest.ts';
import { MAX_GAPS } from '../../src/model/primary-service.ts';
import { column, count, crdOf, type Definition, GROUP, text } from './definition.ts';
import { messageSchema, type Schema } from './openapi.ts';
import { CONTROLLER_STATE, SERVICE_ROUTING } from './store-kinds.ts';

/** Where the files are, from the root of the repository. */
export const CRD_FOLDER = 'manifests/kubernetes/crds';

/** As Kubernetes' own conditions are; `kubectl wait`, kstatus, Helm and Argo CD read them. */
const CONDITIONS: Schema = {
  type: 'array',
  description: 'Ready, Reconciling and Stalled, as kstatus reads them, and what they are made of.',
  maxItems: 20,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    required: ['type', 'status', 'reason', 'lastTransitionTime'],
    properties: {
      type: text('What it says something of.', 316),
      status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
      reason: { ...text('A word for programs.'), pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$' },
      message: text('A sentence for people.', 32_768),
      lastTransitionTime: {
        type: 'string',
        format: 'date-time',
        description: 'Since when the status is so.',
      },
      observedGeneration: count('The generation of the spec that it speaks of.'),
    },
  },
};

const VERSIONED_SERVICE: Definition = {
  kind: 'VersionedService',
  plural: 'versionedservices',
  from: 'proto/switchyard/config/v1 and the rules in src/spec',
  shortNames: ['vsvc'],
  description: 'A service in several versions, with the one that is wanted and how traffic reaches it.',
  spec: messageSchema(VersionedServiceSpecSchema),
  columns: [
    column('Wanted', 'string', '.spec.version', 'the version that is wanted'),
    column('Primary', 'string', '.status.primary', 'the version that default traffic goes to'),
    column('Candidate', 'string', '.status.candidate', 'the version that a rollout brings up'),
    column('Phase', 'string', '.status.phase', 'what the rollout does'),
    column('Weight', 'integer', '.status.weight', "the candidate's share of default traffic, in percent"),
    column(
      'Ready',
      'string',
      '.status.conditions[?(@.type=="Ready")].status',
      'whether all is as it is wished',
    ),
    { ...column('Reason', 'string', '.status.conditions[?(@.type=="Ready")].message', 'why'), priority: 1 },
    column('Since', 'date', '.status.since', 'since when it is so'),
    column('Age', 'date', '.metadata.creationTimestamp', 'since when there is such a service'),
  ],
  status: {
    type: 'object',
    description: 'What the controller last saw. It is no database: nothing is decided by it.',
    properties: {
      observedGeneration: count('The generation of the spec that the status speaks of.'),
      conditions: CONDITIONS,
      primary: text('The version that default traffic goes to.', 63),
      previous: text('The last primary, kept warm: the way back.', 63),
      candidate: text('The version that a rollout brings up.', 63),
      weight: { ...count("The candidate's share of default traffic, in percent."), maximum: 100 },
      rollout: text('The Rollout that goes on, or was the last.', 253),
      phase: text('The state of the rollout, and the step that it is at.', 128),
      since: { type: 'string', format: 'date-time', description: 'Since when it is so.' },
      publication: count(
        'The number of the publication that first showed its routes as they are, endpoints aside.',
      ),
      order: {
        type: 'object',
        description: 'The order by annotation that was taken last.',
        required: ['text', 'outcome', 'message', 'at'],
        properties: {
          text: text('As it was written.', 256),
          outcome: {
            type: 'string',
            enum: ['Taken', 'Done', 'Refused'],
            description:
              'Taken, and nothing more: the controller ended while it was carried out. Look what became of it before you order it again.',
          },
          message: text('What was done, or why not.', 32_768),
          at: { type: 'string', format: 'date-time', description: 'When.' },
        },
      },
      gatewayRoutes: {
        type: 'object',
        description:
          'How the HTTPRoute of the service stands with its gateways. That they accept it is no acknowledgement by their proxies.',
        required: ['name', 'rulesOff', 'parents'],
        properties: {
          name: text('The HTTPRoute.', 253),
          rulesOff: {
            type: 'array',
            description:
              'The rules that do not hold for requests through these gateways: docs/gateway-api.md.',
            maxItems: 13,
            'x-kubernetes-list-type': 'set',
            items: count('The number of a rule.'),
          },
          parents: {
            type: 'array',
            description: 'What is said of the route as it is now, parent by parent.',
            maxItems: 64,
            'x-kubernetes-list-type': 'atomic',
            items: {
              type: 'object',
              required: ['parent', 'state'],
              properties: {
                parent: text('The parent.'),
                controller: text('Who says it; empty: nobody does.', 253),
                state: { type: 'string', enum: ['Accepted', 'Waiting', 'Refused'] },
                reason: text("The controller's reason."),
                message: text('A sentence for people.', 32_768),
              },
            },
          },
        },
      },
      versions: {
        type: 'array',
        description: 'All versions that are not retired.',
        maxItems: 100,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: {
          type: 'object',
          required: ['name', 'state'],
          properties: {
            name: text('The name of the version.', 63),
            state: text('Its state, as docs/states.md has it.', 63),
            reason: text('Why.'),
            instances: count('Instances that are known.'),
            ready: count('Instances that take requests.'),
          },
        },
      },
    },
  },
};

/** Made by the controller, for people and tools that wait: nothing is read from it. */
const ROLLOUT: Definition = {
  kind: 'Rollout',
  plural: 'rollouts',
  from: 'scripts/crds/crds.ts',
  shortNames: ['vro'],
  description:
    'One rollout of a service, as the controller sees it. It is written by the controller only, and nothing is read from it: orders are given to the VersionedService.',
  columns: [
    column('Service', 'string', '.spec.service', 'whose rollout it is'),
    column('Version', 'string', '.spec.version', 'the version that it brings up'),
    column('From', 'string', '.spec.baseline', 'the primary at its beginning'),
    column('State', 'string', '.status.state', 'its state, as docs/states.md has it'),
    column('Step', 'string', '.status.step', 'where it is'),
    column('Weight', 'integer', '.status.weight', "the candidate's share of default traffic, in percent"),
    column('Delegates', 'string', '.status.delegates', 'how many delegates are ready, of how many'),
    { ...column('Because', 'string', '.status.message', 'why it is so'), priority: 1 },
    column('Age', 'date', '.metadata.creationTimestamp', 'since when there is such a rollout'),
  ],
  spec: {
    type: 'object',
    required: ['id', 'service', 'version', 'startedBy', 'startedAt'],
    properties: {
      id: text('As the admin API has it.', 253),
      service: text('Whose rollout it is.', 63),
      version: text('The version that it brings up.', 63),
      baseline: text('The primary at its beginning: what the candidate is compared with.', 63),
      startedBy: text('Who asked for it.', 253),
      reason: text('Why it was asked for.', 4_096),
      startedAt: { type: 'string', format: 'date-time', description: 'When it began.' },
    },
  },
  status: {
    type: 'object',
    description: 'How far it is.',
    properties: {
      observedGeneration: count('The generation of the spec that the status speaks of.'),
      conditions: CONDITIONS,
      state: text('Its state, as docs/states.md has it.', 63),
      step: text('The step that it is at, or ended at.', 63),
      weight: { ...count("The candidate's share of default traffic, in percent."), maximum: 100 },
      attempt: count('Counts from 1; a retry raises it.'),
      delegates: text('How many delegates are ready, of how many; absent: it waits for none.', 63),
      primaryServiceGaps: {
        type: 'array',
        maxItems: MAX_GAPS,
        description:
          'When the routes and the Service for clients without a proxy led to different versions, oldest first.',
        items: {
          type: 'object',
          required: ['name', 'routes', 'from'],
          properties: {
            name: text("The Service's name.", 63),
            routes: text('The version that the routes led to.', 63),
            service: text(
              'The version that the Service led to; absent: to no version, or it was not ours.',
              63,
            ),
            from: { type: 'string', format: 'date-time', description: 'When the routes were moved.' },
            until: {
              type: 'string',
              format: 'date-time',
              description: 'When both led to the same version again; absent: they do not yet.',
            },
          },
        },
      },
      message: text('Why it is so.', 32_768),
      since: { type: 'string', format: 'date-time', description: 'Since when it is in this state.' },
      endedAt: { type: 'string', format: 'date-time', description: 'When it ended; absent: it goes on.' },
    },
  },
};

/** One file for each kind. */
export function crdFiles(): readonly { readonly file: string; readonly text: string }[] {
  return [VERSIONED_SERVICE, ROLLOUT, SERVICE_ROUTING, CONTROLLER_STATE].map((definition) => ({
    file: `${GROUP}_${definition.plural}.yaml`,
    text: `# Written by \`npm run crds\` from ${definition.from}.\n${manifestText(crdOf(definition))}`,
  }));
}
