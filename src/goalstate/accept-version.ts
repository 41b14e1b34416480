/** What is wrong with one version of a goal state, before anything of it is fetched. */
import { type GoalVersion, MAX_ARTIFACT_SIZE } from '../model/goal-state.ts';
import { isName, NAME_RULE, type ServiceName } from '../model/names.ts';
import { excerpt } from '../model/text.ts';

const MAX_URL = 2_048;
const MAX_ARGUMENTS = 128;
const MAX_ARGUMENT = 4_096;
const SHA256 = /^[0-9a-f]{64}$/i;
/** 64 bytes in base64. */
const ED25519 = /^[A-Za-z0-9+/]{86}==$/;
/** Printable ASCII without spaces, after one of the schemes that are fetched. */
const FETCHED = /^(https?:\/\/[!-~]+|file:\/\/\/[!-~]+)$/;

/** The first problem, with the field, the value and what would be right; undefined where there is none. */
export function goalVersionProblem(
  input: GoalVersion & { readonly service: ServiceName; readonly maxSize: number },
): string | undefined {
  const { version, artifact, service } = input;
  const { url, sha256, size, signature, command } = artifact;
  const maxSize = Math.min(input.maxSize, MAX_ARTIFACT_SIZE);
  if (!isName(version)) return `version ${excerpt(version)} must be ${NAME_RULE}`;
  if (artifact.service !== service || artifact.version !== version) {
    return `its artifact is of ${excerpt(artifact.service)} ${excerpt(artifact.version)}; it must be of ${service} ${version}`;
  }
  if (url.length > MAX_URL || !FETCHED.test(url)) {
    return `artifact.url ${excerpt(url)} must begin with https://, http:// or file:/// and have at most ${MAX_URL} visible characters`;
  }
  if (!SHA256.test(sha256)) return `artifact.sha256 ${excerpt(sha256)} must be 64 hexadecimal digits`;
  if (!Number.isSafeInteger(size) || size < 1 || size > maxSize) {
    return `artifact.size ${excerpt(size)} must be a whole number from 1 to ${maxSize}`;
  }
  if (!ED25519.test(signature)) return `artifact.signature ${excerpt(signature)} must be 64 bytes in base64`;
  return commandProblem(command);
}

function commandProblem(command: readonly string[]): string | undefined {
  if (command.length === 0 || command[0] === '') return 'artifact.command must name a program';
  if (command.length > MAX_ARGUMENTS) {
    return `artifact.command has ${command.length} parts; it may have ${MAX_ARGUMENTS}`;
  }
  const bad = command.findIndex((part) => part.length > MAX_ARGUMENT || part.includes('\0'));
  if (bad < 0) return undefined;
  return `artifact.command[${bad}] ${excerpt(command[bad])} must have at most ${MAX_ARGUMENT} characters, none of them NUL`;
}
