import type { FastifyServerOptions } from 'fastify'
import { loggedRequest } from './logged-request.ts'

export interface LogOptions {
  readonly level: string
  /** Values that no line may show. */
  readonly secrets: readonly string[]
  /** What every line says of who writes it. @default its process and its host */
  readonly base?: Readonly<Record<string, unknown>> | undefined
}

/** Headers that say who asks, whoever logs a request or an answer with them. */
const headers = ['authorization', 'cookie', 'set-cookie', 'proxy-authorization', 'x-api-key']
const holders = ['headers', 'req.headers', 'request.headers', 'res.headers', 'response.headers', 'err.headers']

const hidden = '[redacted]'

/** Texts that say who asks, wherever they stand in a line: fields of a URL, credentials of a URL, tokens. */
interface Secret {
  /** Finds a part of every such text; a pattern that looks behind costs 30 times as much as this, and few lines have one. */
  readonly mark: RegExp
  readonly pattern: RegExp
}

const patterns: readonly Secret[] = [
  { mark: /=/, pattern: /(?<=[?&](?:api[-_]?key|apikey|key|token|access[-_]token|client[-_]secret|secret|password|sig|signature)=)[^&\s"\\#]+/gi },
  { mark: /@/, pattern: /(?<=\/\/)[^/\s"\\@]+(?=@)/g },
  { mark: /bearer |basic /i, pattern: /(?<=\b(?:Bearer|Basic) )[\w.~+/-]{8,}=*/gi },
]

/** A text of a few letters is in every other line, and is no secret. */
const shortest = 4

/** The logger's options: nothing secret is written, neither what a header is known to hold, nor a value of these secrets wherever it turns up. */
export function logOptions ({ level, secrets, base }: LogOptions): NonNullable<FastifyServerOptions['logger']> {
  const spelled = new Set(secrets.flatMap(secret => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]).filter(text => text.length >= shortest))
  // The longest first: one may be the beginning of another.
  const values = [...spelled].sort((a, b) => b.length - a.length)
  return {
    level,
    ...base !== undefined && { base },
    serializers: { req: loggedRequest },
    redact: { paths: holders.flatMap(holder => headers.map(header => `${holder}["${header}"]`)), censor: hidden },
    hooks: {
      streamWrite: line => {
        let clean = line
        for (const value of values) clean = clean.replaceAll(value, hidden)
        for (const { mark, pattern } of patterns) if (mark.test(clean)) clean = clean.replaceAll(pattern, hidden)
        return clean
      },
    },
  }
}
