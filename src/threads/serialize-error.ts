import { Problem, UpstreamError, errors, type ErrorCode, type Fault, type UpstreamErrorOptions } from '../errors.ts'

/** An error in the form that is sent between threads, which would lose its class and its fields. */
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

/** Serializes a thrown value; a `Problem` and an `UpstreamError` keep their class. */
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

/** Returns the error that was serialized. */
export function deserializeError(serialized: SerializedError): Error {
  if (serialized.kind === 'problem') {
    const { code, status, title, detail, faults, retryAfterSeconds } = serialized
    return new Problem(code, {
      status,
      title,
      detail,
      ...(faults && { faults }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    })
  }
  if (serialized.kind === 'upstream') return new UpstreamError(serialized.code, serialized.source, serialized.options)
  const { name, message, stack } = serialized
  // The stack is that of the other thread.
  return Object.assign(new Error(message), { name, ...(stack !== undefined && { stack }) })
}
