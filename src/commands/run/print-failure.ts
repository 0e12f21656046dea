import { Problem, UpstreamError } from '../../errors.ts'
import { causeChain } from '../../log/cause-chain.ts'
import { printableLines } from '../../log/printable.ts'

/**
 * Prints the failure of a run as a caller of the service gets it, and returns the exit code. A bug is printed with its
 * stack.
 */
export function printFailure(error: unknown, json: boolean): number {
  if (!(error instanceof Problem)) throw error
  if (json) printJson(error)
  else process.stderr.write(`${printableLines(textOf(error))}\n`)
  if (error.statusCode === 500 && error.cause instanceof Error)
    process.stderr.write(`${printableLines(String(error.cause.stack))}\n`)
  return error.code === 'INPUT_INVALID' ? 2 : 1
}

function printJson(problem: Problem): void {
  const text = JSON.stringify(problem, null, 2)
  // Within the texts of JSON the escapes have the same meaning.
  process.stdout.write(`${process.stdout.isTTY ? printableLines(text) : text}\n`)
}

function textOf({ statusCode, title, detail, faults, cause }: Problem): string {
  // The reason has words of the upstream, which the operator gets and a caller does not.
  const why = cause instanceof UpstreamError ? causeChain(cause) : undefined
  if (faults === undefined) return `${statusCode} ${title}: ${detail}${why === undefined ? '' : `\n  because: ${why}`}`
  return [`${statusCode} ${title}`, ...faults.map(({ pointer, reason }) => `  ${optionOf(pointer)}: ${reason}`)].join(
    '\n',
  )
}

/** Returns the option in which a value was given: `/query/count` is `--count`. */
function optionOf(pointer: string): string {
  const [, part = '', name, ...rest] = pointer.split('/')
  if (part === 'headers') return `--header ${name ?? ''}`.trim()
  return name === undefined || part === 'body'
    ? pointer.replace(/^\/body/, '--body ').trim()
    : `--${[name, ...rest].join('/')}`
}
