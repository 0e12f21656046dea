import { usageOf } from '../command.ts'
import { UsageError } from '../usage-error.ts'
import { help, readOptions } from './options.ts'
import { unreachable } from './reach.ts'
import { reportOf } from './report.ts'
import { runLoad } from './run-load.ts'

/** Runs the command; resolves with its exit code. */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options === undefined) {
    process.stdout.write(help)
    return 0
  }
  const { url, timeoutMs } = options.question
  const why = await unreachable(url, timeoutMs)
  if (why !== undefined) {
    process.stderr.write(`load: ${url.origin} cannot be reached: ${why}\n`)
    return 1
  }

  const interrupted = new AbortController()
  let signal: NodeJS.Signals | undefined
  const interrupt = (which: NodeJS.Signals) => {
    if (signal !== undefined) process.exit(codeOf(which))
    signal = which
    interrupted.abort()
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)

  const result = await runLoad(options, interrupted.signal)
  process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : reportOf(result))
  if (signal !== undefined) return codeOf(signal)
  return result.violations.length > 0 ? 1 : 0
}

function codeOf(signal: NodeJS.Signals): number {
  return signal === 'SIGINT' ? 130 : 143
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isUsage = error instanceof UsageError
  process.stderr.write(
    isUsage
      ? `load: ${error.message}\n\n${usageOf(help)}\nMore: npm run load -- --help\n`
      : `load: ${(error as Error).stack}\n`,
  )
  process.exitCode = isUsage ? 2 : 1
}
