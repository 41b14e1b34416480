/** Our recording and alert rules, and the unit tests of promtool, as data. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const RULES_FOLDER = 'manifests/prometheus';
export const RULE_FILES = ['recording-rules.yaml', 'alert-rules.yaml'].map((file) =>
  join(RULES_FOLDER, file),
);
const TESTS_FOLDER = 'test/e2e/prometheus-rules';
export const RULE_TESTS = readdirSync(TESTS_FOLDER).map((file) => join(TESTS_FOLDER, file));

/** One rule; it has either `record` or `alert`. */
export interface Rule {
  /** Either of the next two. */
  readonly name: string;
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What a test of promtool expects of an alert, or of an expression. */
export interface Expectation {
  readonly alertname?: string;
  readonly exp_alerts?: readonly unknown[];
  readonly expr?: string;
}

export function allRules(): readonly Rule[] {
  return RULE_FILES.flatMap((file) => {
    const { groups } = parse(readFileSync(file, 'utf8')) as {
      groups: readonly { rules: readonly Omit<Rule, 'name'>[] }[];
    };
    return groups.flatMap(({ rules }) =>
      rules.map((rule) => ({ ...rule, name: rule.record ?? rule.alert ?? 'a rule without a name' })),
    );
  });
}

export function allExpectations(): readonly Expectation[] {
  return RULE_TESTS.flatMap((file) => {
    const { tests } = parse(readFileSync(file, 'utf8')) as {
      tests: readonly {
        alert_rule_test?: readonly Expectation[];
        promql_expr_test?: readonly Expectation[];
      }[];
    };
    return tests.flatMap(({ alert_rule_test = [], promql_expr_test = [] }) => [
      ...alert_rule_test,
      ...promql_expr_test,
    ]);
  });
}
