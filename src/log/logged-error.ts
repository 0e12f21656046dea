import { bounded, longestStack } from './bounded.ts'
import { isIssues, issuesText } from './cause-chain.ts'
import { cut } from './cut.ts'

type Fields = Readonly<Record<'cause' | 'message' | 'name' | 'issues' | 'errors', unknown>>

/** The largest number of errors in a chain of causes that are written. */
const mostCauses = 5
/** The largest number of errors of an `AggregateError` that are written. */
const mostErrors = 10

/**
 * Returns the log fields of an error: its class, its message and stack with the messages and stacks of its causes, and
 * its own fields. All of them are bounded. It accepts any thrown value and never throws.
 */
export function loggedError(error: unknown): unknown {
  try {
    if (!(error instanceof Error)) return bounded(error)
    const { cause: _cause, message: _message, name, issues, errors, ...fields } = bounded(error) as Fields
    const type = cut(String(error.constructor.name))
    return {
      ...fields,
      type,
      ...(name !== undefined && name !== type && { name }),
      ...(issues !== undefined && !isIssues(issues) && { issues }),
      message: cut(joined(error, ': ', messageText)),
      stack: cut(joined(error, '\ncaused by: ', stackText), longestStack),
      ...(error instanceof AggregateError && { errors: error.errors.slice(0, mostErrors).map(messageOf) }),
      ...(!(error instanceof AggregateError) && errors !== undefined && { errors }),
    }
  } catch {
    return { type: 'Error', message: 'an error whose fields cannot be read' }
  }
}

/**
 * Returns the message of an error. For a schema's error the result is its issues in one line, since zod's message has
 * them as JSON.
 */
function messageText(error: Error): string {
  const { issues } = error as { readonly issues?: unknown }
  return isIssues(issues) ? issuesText(issues) : String(error.message)
}

function stackText(error: Error): string {
  const { stack, message } = error
  if (!isIssues((error as { readonly issues?: unknown }).issues)) return String(stack ?? message)
  const frames = String(stack).indexOf('\n    at ')
  return `${error.name}: ${messageText(error)}${frames === -1 ? '' : String(stack).slice(frames)}`
}

function messageOf(error: unknown): unknown {
  return error instanceof Error ? cut(String(error.message)) : bounded(error)
}

/** Returns the joined texts of an error and of its causes. */
function joined(error: Error, between: string, textOf: (error: Error) => string): string {
  const texts: string[] = []
  for (let each: unknown = error; each instanceof Error && texts.length < mostCauses; each = each.cause)
    texts.push(cut(textOf(each), longestStack))
  return texts.join(between)
}
