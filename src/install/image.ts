/** The name of a container image in its parts. Pure. */

export interface ImageName {
  /** With the registry, where one is named: `registry.example:5000/team/switchyard`. */
  readonly name: string;
  readonly tag?: string;
  /** `sha256:...` */
  readonly digest?: string;
}

/** A colon before the last slash is that of a port. */
const IMAGE = /^(?<name>[^@]+?)(?::(?<tag>[^:/@]+))?(?:@(?<digest>.+))?$/;

export function parseImage(text: string): ImageName {
  const { name = text, tag, digest } = IMAGE.exec(text)?.groups ?? {};
  return { name, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

export function imageText({ name, tag, digest }: ImageName): string {
  return `${name}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}
