import type { FastifyRequest, FastifyServerOptions } from 'fastify'
import { cut } from '../../log/cut.ts'
import { loggedError } from '../../log/logged-error.ts'
import { hidden, type Redaction } from '../../log/redaction.ts'
import { shortLine } from '../../log/short-line.ts'
import { credentialHeaders } from './caller-credentials.ts'
import { clientAddress } from '../request/client-address.ts'

export interface LoggerOptions {
  readonly level: string
  /** Hides secrets in every line. */
  readonly redaction: Redaction
  /** Fields of every line that identify its writer. @default its process and its host */
  readonly base?: Readonly<Record<string, unknown>> | undefined
  /** Converts a line of JSON to the line that is written. @default writes the line of JSON */
  readonly format?: ((line: string) => string) | undefined
}

/** The type that Fastify has for a serialized error. The value may be anything that was thrown. */
interface LoggedError {
  type: string
  message: string
  stack: string
  [field: string]: unknown
}

/**
 * The fields of a log line that may hold headers. The serializers of `req` and `res` omit headers. A path below these
 * fields would copy them for each line.
 */
const holders = ['headers', 'request.headers', 'response.headers', 'err.headers']

/** Returns the options of a logger whose lines have a bounded length and show no secret. */
export function loggerOptions({
  level,
  redaction,
  base,
  format,
}: LoggerOptions): NonNullable<FastifyServerOptions['logger']> {
  // Secrets are hidden before the line is cut, because a cut could leave a part of a secret that no longer matches.
  const clean = (line: string) => shortLine(redaction.hide(line))
  return {
    level,
    ...(base !== undefined && { base }),
    serializers: {
      req: loggedRequest,
      res: loggedReply,
      err: loggedError as (error: unknown) => LoggedError,
      msg: cutText,
    },
    redact: {
      paths: holders.flatMap(holder => credentialHeaders.map(header => `${holder}["${header}"]`)),
      censor: hidden,
    },
    hooks: { streamWrite: format === undefined ? clean : line => format(clean(line)) },
  }
}

/**
 * Returns the fields of a request for the log. The query and the headers are omitted, because they may contain secrets.
 */
export function loggedRequest(
  request: Pick<FastifyRequest, 'method' | 'url' | 'host' | 'ip'> & Pick<Partial<FastifyRequest>, 'ips'>,
) {
  const { method, url, host } = request
  const query = url.indexOf('?')
  return {
    method,
    url: cut(query === -1 ? url : url.slice(0, query)),
    host: cut(host),
    remoteAddress: clientAddress(request),
  }
}

/** Returns the fields of a reply for the log. The headers are omitted, because they may contain secrets. */
export function loggedReply({ statusCode }: { readonly statusCode: number }) {
  return { statusCode }
}

function cutText(text: unknown): unknown {
  return typeof text === 'string' ? cut(text) : text
}
