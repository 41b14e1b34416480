/** The rules of each kind of step: sizes, lengths, and where references may stand. */
import { LENGTHS, RANGES, SIZES } from './bounds.ts';
import { referenceProblems, type Scope } from './check-references.ts';
import { type AddProblem, checkLength, checkName, checkSize, checkWhole } from './check-values.ts';
import type { ApprovalStep, HttpStep, PipelineStep, ShellStep, SubPipelineStep } from './definition.ts';

interface Context {
  readonly scope: Scope;
  readonly add: AddProblem;
}

/** Adds the faults of what a step says for itself. */
export function checkFacts(step: PipelineStep, field: string, context: Context): void {
  switch (step.kind) {
    case 'shell':
      checkShell(step, field, context);
      return;
    case 'http':
      checkHttp(step, field, context);
      return;
    case 'approval':
      checkApproval(step, field, context);
      return;
    case 'pipeline':
      checkCall(step, field, context);
      return;
    case 'wait':
    case 'sequence':
    case 'parallel':
  }
}

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
/** What looks like a reference in a command. The shell knows no variable with a dot in its name. */
const MEANT_REFERENCE = /\$\{(input|steps|execution)\.[^}]{0,80}\}?/;
/** One that climbs out of its folder, or begins at the root. */
const OUTSIDE = /^\/|(^|\/)\.\.(\/|$)/;

function checkShell(step: ShellStep, field: string, { scope, add }: Context): void {
  checkLength(step.command, { most: LENGTHS.command, mustBe: true, field: `${field}.shell` }, add);
  const meant = MEANT_REFERENCE.exec(step.command)?.[0];
  if (meant !== undefined) {
    add(
      `${field}.shell`,
      `has ${meant}, which nobody replaces in a command: write env: {VALUE: "${meant}"} and "$VALUE" in the command`,
    );
  }
  checkSize(Object.keys(step.env).length, SIZES.env, `${field}.env`, add);
  for (const [name, value] of Object.entries(step.env)) {
    const own = `${field}.env.${name}`;
    if (!ENV_NAME.test(name)) {
      add(
        own,
        `the name ${JSON.stringify(name.slice(0, 80))} must be letters, digits and "_", beginning with no digit`,
      );
    }
    checkLength(value, { most: LENGTHS.value, field: own }, add);
    referenceProblems(value, own, scope, add);
  }
  const folder = `${field}.workingDirectory`;
  checkLength(step.workingDirectory, { most: LENGTHS.path, field: folder }, add);
  if (OUTSIDE.test(step.workingDirectory)) {
    add(
      folder,
      `${JSON.stringify(step.workingDirectory)} must be below the task's folder: no "/" at the beginning, no ".."`,
    );
  }
  checkDelegate(step, field, add);
}

function checkHttp(step: HttpStep, field: string, { scope, add }: Context): void {
  const own = `${field}.http`;
  checkLength(step.url, { most: LENGTHS.url, mustBe: true, field: `${own}.url` }, add);
  if (!/^(https?:\/\/|\$\{)/.test(step.url)) {
    add(
      `${own}.url`,
      `${JSON.stringify(step.url.slice(0, 80))} must begin with http://, https:// or a reference`,
    );
  }
  referenceProblems(step.url, `${own}.url`, scope, add);
  checkSize(Object.keys(step.headers).length, SIZES.headers, `${own}.headers`, add);
  for (const [name, value] of Object.entries(step.headers)) {
    const header = `${own}.headers.${name}`;
    if (!HEADER_NAME.test(name)) add(header, `${JSON.stringify(name.slice(0, 80))} is no name of a header`);
    checkLength(value, { most: LENGTHS.value, field: header }, add);
    referenceProblems(value, header, scope, add);
  }
  if (step.body !== undefined) {
    if (step.method === 'GET' || step.method === 'HEAD')
      add(`${own}.body`, `must not be given with method ${step.method}: choose POST, PUT or PATCH`);
    referenceProblems(step.body, `${own}.body`, scope, add);
  }
  checkSize(step.expectStatus.length, SIZES.expectStatus, `${own}.expectStatus`, add);
  for (const [index, status] of step.expectStatus.entries())
    checkWhole(status, RANGES.status, `${own}.expectStatus[${index}]`, add);
  checkDelegate(step, field, add);
}

function checkDelegate(step: ShellStep | HttpStep, field: string, add: AddProblem): void {
  checkSize(step.tags.length, SIZES.tags, `${field}.tags`, add);
  for (const [index, tag] of step.tags.entries())
    checkLength(tag, { most: LENGTHS.word, mustBe: true, field: `${field}.tags[${index}]` }, add);
  checkWhole(step.maxAttempts, RANGES.maxAttempts, `${field}.maxAttempts`, add);
}

function checkApproval(step: ApprovalStep, field: string, { scope, add }: Context): void {
  const own = `${field}.approval`;
  checkSize(step.approvers.length, SIZES.approvers, `${own}.approvers`, add);
  for (const [index, approver] of step.approvers.entries())
    checkLength(approver, { most: LENGTHS.word, mustBe: true, field: `${own}.approvers[${index}]` }, add);
  checkLength(step.message, { most: LENGTHS.message, field: `${own}.message` }, add);
  referenceProblems(step.message, `${own}.message`, scope, add);
}

function checkCall(step: SubPipelineStep, field: string, { scope, add }: Context): void {
  if (typeof step.pipeline === 'string') checkName(step.pipeline, `${field}.pipeline`, add);
  for (const [name, value] of Object.entries(step.input))
    referenceProblems(value, `${field}.input.${name}`, scope, add);
}
