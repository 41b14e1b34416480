/**
 * The kinds that hold what the controller records. All of it is in their spec, and they have no status: a restore that leaves
 * out every status loses nothing.
 */
import { column, count, type Definition, text } from './definition.ts';
import type { Schema } from './openapi.ts';

const FROM = 'scripts/crds/store-kinds.ts';

/** What every object carries. */
const STAMP: Readonly<Record<string, Schema>> = {
  term: count('Of the leader that wrote it.'),
  writeId: text('Made by chance for each write: a writer that got no answer knows its own work again.', 64),
};

const WHERE_A_ROLL_IS: Schema = {
  type: 'object',
  description: 'Where the roll of the rollout is: the delegates that it waits for.',
  required: ['rollout', 'object'],
  properties: {
    rollout: text('The id of the rollout.', 253),
    object: text('The name of a ControllerState.', 253),
  },
};

/** What is recorded of a service. */
export const SERVICE_ROUTING: Definition = {
  kind: 'ServiceRouting',
  plural: 'serviceroutings',
  from: FROM,
  shortNames: ['sroute'],
  description:
    'What is recorded of a service of the same name: who gets its traffic, which versions live, where its rollout is. Written by the leading controller only, and never by hand.',
  columns: [
    column('Primary', 'string', '.spec.primary', 'the version that default traffic goes to'),
    column('Candidate', 'string', '.spec.candidate', 'the version that shares it'),
    column('Weight', 'integer', '.spec.weight', "the candidate's share of default traffic, in percent"),
    column('Generation', 'integer', '.spec.generation', 'goes up by one with each change'),
    column(
      'Publication',
      'integer',
      '.spec.publication',
      'the number under which the last change was published',
    ),
    { ...column('Term', 'integer', '.spec.term', 'of the leader that wrote it'), priority: 1 },
    column('Age', 'date', '.metadata.creationTimestamp', 'since when the service is recorded'),
  ],
  spec: {
    type: 'object',
    required: ['term', 'writeId', 'generation', 'publication', 'oldestReader', 'record'],
    properties: {
      ...STAMP,
      generation: count('Of the record: goes up by one with each change.'),
      publication: count('The number under which the last change was published; 0: none is known.'),
      primary: text('The version that default traffic goes to.', 63),
      candidate: text('The version that shares it.', 63),
      weight: { ...count("The candidate's share of default traffic, in percent."), maximum: 100 },
      oldestReader: count('The oldest form of the record whose releases can read it.'),
      together: {
        type: 'array',
        description: 'The other services that were changed with it: one change is to be seen whole.',
        maxItems: 1_000,
        'x-kubernetes-list-type': 'atomic',
        items: {
          type: 'object',
          required: ['service', 'generation'],
          properties: { service: text('Its name.', 63), generation: count('Of its record.') },
        },
      },
      roll: WHERE_A_ROLL_IS,
      record: {
        type: 'object',
        description: 'All that is recorded, as the controller keeps it.',
        'x-kubernetes-preserve-unknown-fields': true,
      },
    },
  },
};

/** What the leader keeps beside the records. */
export const CONTROLLER_STATE: Definition = {
  kind: 'ControllerState',
  plural: 'controllerstates',
  from: FROM,
  shortNames: ['cstate'],
  description:
    'What the leading controller keeps beside the records of services: counters, proxies and watchers as they were seen last, and the delegates that rollouts wait for. Never written by hand.',
  columns: [
    column('Content', 'string', '.spec.content', 'what it holds'),
    column('Entries', 'integer', '.spec.entries', 'how many of them'),
    column('Next publication', 'integer', '.spec.counters.nextPublication', 'no number below is used again'),
    column('Term', 'integer', '.spec.term', 'of the leader that wrote it'),
    column('Age', 'date', '.metadata.creationTimestamp', 'since when it is there'),
  ],
  spec: {
    type: 'object',
    required: ['term', 'writeId', 'content', 'entries'],
    properties: {
      ...STAMP,
      content: {
        type: 'string',
        description: 'What it holds.',
        enum: ['Counters', 'Proxies', 'Watchers', 'Roll'],
      },
      entries: count('How many things it holds.'),
      counters: {
        type: 'object',
        description: 'Of the whole installation.',
        required: ['nextPublication', 'lastSequence', 'everWritten', 'services'],
        properties: {
          nextPublication: count('Every number below may have been used for a publication.'),
          lastSequence: count('Every number up to it may have been given to an event.'),
          everWritten: {
            type: 'boolean',
            description:
              'Whether anything was ever recorded: an empty store that meets configured proxies answers nothing.',
          },
          services: {
            type: 'array',
            description: 'All services: one whose ServiceRouting is gone was not deleted by the controller.',
            maxItems: 1_000,
            'x-kubernetes-list-type': 'atomic',
            items: {
              type: 'object',
              required: ['name', 'uid'],
              properties: {
                name: text('Its name.', 63),
                uid: text('Of its ServiceRouting: another one shows that it was put back from a backup.', 63),
              },
            },
          },
          lastDeletion: count('The number of the newest change that deleted services.'),
        },
      },
      data: text(
        'A list, or a change that is decided and may not be finished: JSON, compressed, in base64.',
        1_500_000,
      ),
    },
  },
};
