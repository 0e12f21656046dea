import { Problem, UpstreamError } from '../../errors.ts'
import { causeChain } from '../../log/cause-chain.ts'
import { printableLines } from '../../log/printable.ts'
import { writeOutput } from './write-output.ts'

/**
 * Prints the problem that a caller of the service would receive, and returns the exit code. Also prints the stack of an
 * unexpected error.
 *
 * @param body - The argument that has the body.
 */
export function printFailure(error: unknown, json: boolean, body = '--body'): number {
  if (!(error instanceof Problem)) throw error
  if (json) printJson(error)
  else process.stderr.write(`${printableLines(textOf(error, body))}\n`)
  if (error.statusCode === 500 && error.cause instanceof Error)
    process.stderr.write(`${printableLines(String(error.cause.stack))}\n`)
  return error.code === 'INPUT_INVALID' ? 2 : 1
}

function printJson(problem: Problem): void {
  writeOutput(`${JSON.stringify(problem, null, 2)}\n`)
}

function textOf({ statusCode, title, detail, faults, cause }: Problem, body: string): string {
  // The reason may contain text from the upstream. The operator may see this text; a caller of the service may not.
  const why = cause instanceof UpstreamError ? causeChain(cause) : undefined
  if (faults === undefined) return `${statusCode} ${title}: ${detail}${why === undefined ? '' : `\n  because: ${why}`}`
  return [
    `${statusCode} ${title}`,
    ...faults.map(({ pointer, reason }) => `  ${optionOf(pointer, body)}: ${reason}`),
  ].join('\n')
}

/** Returns the option for a JSON Pointer into the input: `--count` for `/query/count`. */
function optionOf(pointer: string, body: string): string {
  const [, part = '', name, ...rest] = pointer.split('/')
  if (part === 'headers') return `--header ${name ?? ''}`.trim()
  return name === undefined || part === 'body'
    ? pointer.replace(/^\/body/, () => `${body} `).trim()
    : `--${[name, ...rest].join('/')}`
}
