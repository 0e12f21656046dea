import type { Command } from './command.ts'
import { probe } from './load/connection.ts'
import { flags, readLoadOptions } from './load/options.ts'
import { formatReport } from './load/report.ts'
import { runLoad } from './load/run-load.ts'

const help = `headwaters: sends requests to a running service at a constant rate and shows the latency of its replies

Usage: headwaters load URL [options]

Requests are due at a constant rate, whether or not earlier requests have ended. The latency of a request counts from
the moment at which it was due. Each connection carries one request at a time. A request that is due while all
connections are busy waits, and the wait is part of its latency.

Options
  --rate N|max             requests per second; with max, each connection sends its next request as soon as it has a
                           reply (default 100)
  --connections N          connections, which is also the maximum number of requests in flight (default 100)
  --duration TIME          length of the measurement, for example 500ms, 30s or 2m (default 10s)
  --warm-up TIME           time before the measurement, which is not in the result (default 2s)
  --timeout TIME           limit for one request, from when it is sent; also the time that requests in flight have
                           after the duration (default 10s)
  --method NAME            HTTP method (default GET, or POST with a body)
  --header 'name: value'   a request header; may be repeated
  --body TEXT              request body; sent with content-type: application/json unless --header sets another type
  --body-file FILE         request body from a file
  --insecure               accepts any TLS certificate
  --json                   prints the result as one JSON document and shows no progress
  --max-p99 TIME           exits with 1 if the p99 latency is above this limit
  --max-errors PERCENT     exits with 1 if more requests than this were refused, failed, not answered or never sent
  --help                   prints this text; also -h

Ctrl-C ends the run early and prints the result so far. A second Ctrl-C exits immediately.

Exit codes: 0 success, 1 no request was answered or a limit was exceeded, 2 wrong arguments, 130 interrupted,
143 terminated.
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
