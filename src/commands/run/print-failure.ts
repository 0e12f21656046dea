import { Problem } from '../../errors.ts'

/**
 * Shows why a run failed, as a caller would be told, and gives the exit code; a bug comes with its stack, since whoever
 * runs it here may mend it.
 */
export function printFailure(error: unknown, json: boolean): number {
  if (!(error instanceof Problem)) throw error
  if (json) process.stdout.write(`${JSON.stringify(error, null, 2)}\n`)
  else process.stderr.write(`${textOf(error)}\n`)
  if (error.statusCode === 500 && error.cause instanceof Error) process.stderr.write(`${error.cause.stack}\n`)
  return error.code === 'INPUT_INVALID' ? 2 : 1
}

function textOf({ statusCode, title, detail, faults }: Problem): string {
  if (faults === undefined) return `${statusCode} ${title}: ${detail}`
  return [`${statusCode} ${title}`, ...faults.map(({ pointer, reason }) => `  ${optionOf(pointer)}: ${reason}`)].join(
    '\n',
  )
}

/** Where a fault of the input was given: `/query/count` is `--count`. */
function optionOf(pointer: string): string {
  const [, part = '', name, ...rest] = pointer.split('/')
  if (part === 'headers') return `--header ${name ?? ''}`.trim()
  return name === undefined || part === 'body'
    ? pointer.replace(/^\/body/, '--body ').trim()
    : `--${[name, ...rest].join('/')}`
}
