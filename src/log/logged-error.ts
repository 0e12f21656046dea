import { bounded, longestStack } from './bounded.ts'
import { cut } from './cut.ts'

/** Causes of causes that are written. */
const mostCauses = 5
/** Errors of an `AggregateError` that are written. */
const mostErrors = 10

/**
 * Returns an error as the log has it: its class, its message and stack with those of its causes, and its own fields,
 * all within bounds. It never throws, whatever was thrown.
 */
export function loggedError(error: unknown): unknown {
  try {
    if (!(error instanceof Error)) return bounded(error)
    const { cause: _, errors, ...fields } = bounded(error) as { readonly cause?: unknown; readonly errors?: unknown }
    return {
      ...fields,
      type: cut(String(error.constructor.name)),
      message: cut(joined(error, ': ', ({ message }) => String(message))),
      stack: cut(
        joined(error, '\ncaused by: ', ({ stack, message }) => String(stack ?? message)),
        longestStack,
      ),
      ...(error instanceof AggregateError && { errors: error.errors.slice(0, mostErrors).map(messageOf) }),
      ...(!(error instanceof AggregateError) && errors !== undefined && { errors }),
    }
  } catch {
    return { type: 'Error', message: 'an error whose fields cannot be read' }
  }
}

function messageOf(error: unknown): unknown {
  return error instanceof Error ? cut(String(error.message)) : bounded(error)
}

/** A text of an error and of its causes. */
function joined(error: Error, between: string, textOf: (error: Error) => string): string {
  const texts: string[] = []
  for (let each: unknown = error; each instanceof Error && texts.length < mostCauses; each = each.cause)
    texts.push(cut(textOf(each), longestStack))
  return texts.join(between)
}
