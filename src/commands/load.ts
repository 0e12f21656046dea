import type { Command } from './command.ts'
import { probe } from './load/connection.ts'
import { flags, readLoadOptions } from './load/options.ts'
import { formatReport } from './load/report.ts'
import { runLoad } from './load/run-load.ts'

const help = `headwaters: sends requests to a running service at a constant rate and shows the latency of its replies

Usage: headwaters load URL [options]

A request is due every 1/rate of a second, whatever happened to the requests before it, and its latency counts from the
moment it was due. At most one request per connection is in flight. A request that is due while all connections are busy
waits, and the wait is part of its latency.

Options
  --rate N|max             requests per second; with max each connection sends again when it has its reply (default 100)
  --connections N          connections, and so the maximum of requests in flight (default 100)
  --duration TIME          such as 500ms, 30s or 2m (default 10s)
  --warm-up TIME           time before that, which is not in the result (default 2s)
  --timeout TIME           for one request, from when it is sent; also for requests in flight after the duration
                           (default 10s)
  --method NAME            (default GET; POST with a body)
  --header 'name: value'   may be repeated
  --body TEXT              sent with content-type: application/json unless a header sets another one
  --body-file FILE         the same, from a file
  --insecure               accepts any certificate
  --json                   prints the result as one JSON document, and draws nothing
  --max-p99 TIME           fails when the p99 is above this
  --max-errors PERCENT     fails when more requests than this were refused, failed, not answered or never sent
  --help                   prints this

Ctrl-C ends early and prints the result so far; a second Ctrl-C ends at once.

Exit codes: 0 ended as asked, 1 nothing was answered or a bound was violated, 2 wrong arguments, 130 interrupted, 143
terminated.
`

export const command: Command = {
  help,
  options: flags,
  async run(args) {
    const options = readLoadOptions(args)
    if (options === undefined) {
      process.stdout.write(help)
      return 0
    }
    const { url, timeoutMs } = options.request
    const error = await probe(url, timeoutMs)
    if (error !== undefined) {
      process.stderr.write(
        `headwaters: cannot connect to ${url.origin}: ${error}; start the service or correct the URL\n`,
      )
      return 1
    }

    const interruption = new AbortController()
    let signal: NodeJS.Signals | undefined
    const interrupt = (received: NodeJS.Signals) => {
      if (signal !== undefined) process.exit(exitCodeOf(received))
      signal = received
      interruption.abort()
    }
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt)

    const result = await runLoad(options, interruption.signal)
    process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : formatReport(result))
    if (signal !== undefined) return exitCodeOf(signal)
    return result.violations.length > 0 ? 1 : 0
  },
}

function exitCodeOf(signal: NodeJS.Signals): number {
  return signal === 'SIGINT' ? 130 : 143
}
