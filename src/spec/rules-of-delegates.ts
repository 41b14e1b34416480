/** The rules of the fields of spec.delegates: part of the table in rules.ts. */
import { CHOICE, type FieldRules, HOUR, MINUTE, SECOND, WEEK } from './field-rule.ts';
import * as format from './text-formats.ts';

export const DELEGATE_RULES: FieldRules = {
  'Delegates.none': CHOICE,
  'Delegates.grpc': CHOICE,
  'Delegates.promql': CHOICE,
  'Delegates.activeWithin': { default: '24h', range: [MINUTE, 720 * HOUR] },
  'Delegates.deadline': { default: '2h', range: [SECOND, 720 * HOUR] },
  'Delegates.onMissing': { default: 'HoldBack' },
  'Delegates.maxHeldBack': { default: '5', range: [0, 100] },
  'Delegates.holdFor': { default: '168h', range: [MINUTE, 8_760 * HOUR] },
  'Delegates.waves': { size: [0, 50], unique: 'name' },

  'Wave.name': { required: 'write a name for the wave, such as canary', text: format.nameFormat },
  'Wave.groups': { size: [0, 100], unique: 'value', text: format.nameFormat },
  'Wave.canaries': { default: '0', range: [0, 10_000] },
  'Wave.wait': { default: '0s', range: [0, WEEK] },
  'Wave.windows': { size: [0, 20] },
  'Wave.maxInFlight': { default: '100', range: [1, 100_000] },
  'Wave.maxFailed': { default: '0', range: [0, 100_000] },

  'PromqlDelegates.query': {
    required: `write the query of the delegates, such as 'sum by (tenant) (delegates{version="{{version}}"})'`,
    text: format.notBlank,
  },
  // Its default is spec.verification.prometheus: to-model-delegates.ts.
  'PromqlDelegates.prometheus': {},
  'PromqlDelegates.tenantLabel': { default: 'tenant', text: format.labelName },
};
