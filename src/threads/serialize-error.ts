import { Problem, UpstreamError, errors, type ErrorCode, type Fault, type UpstreamErrorOptions } from '../errors.ts'

/** An error as it goes between threads, where it would lose its class and its fields. */
export type SerializedError =
  | {
      readonly kind: 'problem'
      readonly code: ErrorCode
      readonly status: number
      readonly title: string
      readonly detail: string
      readonly faults: readonly Fault[] | undefined
      readonly retryAfterSeconds: number | undefined
    }
  | {
      readonly kind: 'upstream'
      readonly code: ErrorCode
      readonly source: string
      readonly options: UpstreamErrorOptions
    }
  | { readonly kind: 'other'; readonly name: string; readonly message: string; readonly stack: string | undefined }

/** Makes of what a function threw what can be told: an author's answer and an upstream's failure stay what they are. */
export function serializeError(error: unknown): SerializedError {
  if (error instanceof Problem) {
    const { code, statusCode: status, title, detail, faults, retryAfterSeconds } = error
    return { kind: 'problem', code, status, title, detail, faults, retryAfterSeconds }
  }
  if (error instanceof UpstreamError) {
    const { code, source, message, upstreamStatus, retryAfterMs, verdict, statusCode, retryable } = error
    const detail = message.slice(`${source} ${errors[code].text}: `.length)
    return {
      kind: 'upstream',
      code,
      source,
      options: {
        verdict,
        statusCode,
        retryable,
        detail,
        retryAfterMs,
        ...(upstreamStatus !== undefined && { upstreamStatus }),
      },
    }
  }
  return serializeOther(error)
}

/** Reads the texts of an error; those of an author's can be other values, and reading them can throw. */
function serializeOther(error: unknown): SerializedError {
  try {
    if (!(error instanceof Error))
      return { kind: 'other', name: 'Error', message: `threw ${String(error)}`, stack: undefined }
    const { name, message, stack } = error
    return {
      kind: 'other',
      name: String(name),
      message: String(message),
      stack: typeof stack === 'string' ? stack : undefined,
    }
  } catch {
    return { kind: 'other', name: 'Error', message: 'threw a value that has no text', stack: undefined }
  }
}

/** The error that was told. */
export function deserializeError(told: SerializedError): Error {
  if (told.kind === 'problem') {
    const { code, status, title, detail, faults, retryAfterSeconds } = told
    return new Problem(code, {
      status,
      title,
      detail,
      ...(faults && { faults }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    })
  }
  if (told.kind === 'upstream') return new UpstreamError(told.code, told.source, told.options)
  const { name, message, stack } = told
  // Where it was thrown is over there.
  return Object.assign(new Error(message), { name, ...(stack !== undefined && { stack }) })
}
