import {
  Problem,
  UpstreamError,
  errors,
  type ErrorCode,
  type ProblemOptions,
  type UpstreamErrorOptions,
} from '../errors.ts'

/**
 * An error in the form that is sent between threads. The structured clone of an error loses its class and its fields.
 */
export type SerializedError =
  | {
      readonly kind: 'problem'
      readonly code: ErrorCode
      readonly options: Omit<ProblemOptions, 'cause' | 'sources'>
    }
  | {
      readonly kind: 'upstream'
      readonly code: ErrorCode
      readonly source: string
      readonly options: UpstreamErrorOptions
    }
  | { readonly kind: 'other'; readonly name: string; readonly message: string; readonly stack: string | undefined }

/** Serializes a thrown value. A `Problem` and an `UpstreamError` keep their class. */
export function serializeError(error: unknown): SerializedError {
  if (error instanceof Problem) {
    const { code, statusCode: status, title, detail, type, authorCode, headers, faults, retryAfterSeconds } = error
    return {
      kind: 'problem',
      code,
      options: {
        status,
        title,
        detail,
        type,
        authorCode,
        headers,
        ...(faults && { faults }),
        ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      },
    }
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

/** Serializes an error of another class. Its name, message and stack may not be strings, and reading them may throw. */
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
    return {
      kind: 'other',
      name: 'Error',
      message: 'threw a value that cannot be converted to a string',
      stack: undefined,
    }
  }
}

/** Restores an error from its serialized form. */
export function deserializeError(serialized: SerializedError): Error {
  if (serialized.kind === 'problem') return new Problem(serialized.code, serialized.options)
  if (serialized.kind === 'upstream') return new UpstreamError(serialized.code, serialized.source, serialized.options)
  const { name, message, stack } = serialized
  // Keep the stack of the thread in which the error was thrown.
  return Object.assign(new Error(message), { name, ...(stack !== undefined && { stack }) })
}
