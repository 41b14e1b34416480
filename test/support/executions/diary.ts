/**
 * The diary that tasks themselves write on the boxes: which delegate really did what, told by the folder that the command
 * found itself in, without asking a manager or its store.
 */
import { readFile } from 'node:fs/promises';

/** A line: a command began or came to its end. */
export interface DiaryLine {
  readonly what: 'began' | 'ended';
  readonly execution: string;
  /** As the execution told its task. */
  readonly version: string;
  readonly tenant: string;
  readonly step: string;
  /** Where it really ran. */
  readonly box: string;
  readonly boxVersion: string;
  readonly task: string;
  readonly token: number;
}

/** References that each command needs beside its own. */
export const DIARY_ENVIRONMENT = {
  EXECUTION: '${execution.id}',
  VERSION: '${execution.version}',
  TENANT: '${execution.tenant}',
} as const;

/** A command that writes its beginning and its end; one that fails before has no end. */
export function noted(step: string, file: string, command: string): string {
  const note = (what: string): string =>
    `printf '%s %s %s %s %s %s\\n' ${what} "$EXECUTION" "$VERSION" "$TENANT" ${step} "$PWD" >> '${file}'`;
  return `${note('began')}\n${command}\n${note('ended')}`;
}

/** All lines so far. Throws where one is no line: two were written into each other. */
export async function readDiary(file: string): Promise<readonly DiaryLine[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parse);
}

/** The delegate makes a folder for each lease: boxes/BOX/watcher/data/VERSION/work/TASK.TOKEN. */
const WHERE = /\/boxes\/([^/]+)\/watcher\/data\/([^/]+)\/work\/([^/]+)\.(\d+)$/;

function parse(line: string): DiaryLine {
  const [what, execution, version, tenant, step, where, ...more] = line.split(' ');
  const place = WHERE.exec(where ?? '');
  if ((what !== 'began' && what !== 'ended') || place === null || more.length > 0) {
    throw new Error(`the diary has the line ${JSON.stringify(line)}, which no task writes`);
  }
  const [, box = '', boxVersion = '', task = '', token] = place;
  return {
    what,
    execution: execution ?? '',
    version: version ?? '',
    tenant: tenant ?? '',
    step: step ?? '',
    box,
    boxVersion,
    task,
    token: Number(token),
  };
}
