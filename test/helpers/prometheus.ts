import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { stringify } from 'yaml'
import { quietPort } from './quiet-port.ts'
import { until } from './until.ts'

const server = '/usr/bin/prometheus'
const tool = '/usr/bin/promtool'

/** Why a test with Prometheus is skipped, or `false`. Where every test must run, a missing program is a failure. */
export const prometheusMissing = missing()

/** Runs promtool, with the text on its stdin, and returns its exit code and its output. */
export function promtool(
  args: readonly string[],
  stdin = '',
): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(tool, args, { input: stdin, encoding: 'utf8' })
  return { code: status, output: stdout + stderr }
}

/** One series of the result of a query. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [time: number, value: string]
}

/** A Prometheus that scrapes a target, and ends with the test. */
export interface PrometheusServer {
  /** Evaluates an expression at the present time. Throws for an expression that is not valid. */
  query(expression: string): Promise<readonly Sample[]>
  /** Resolves when the target was scraped this many times. */
  scraped(times: number): Promise<void>
}

/** Starts Debian's Prometheus. It scrapes the target four times per second. */
export async function startPrometheus(
  t: Test,
  { target, key, job = 'headwaters' }: { readonly target: string; readonly key?: string; readonly job?: string },
): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'headwaters-prometheus-'))
  const port = await quietPort()
  const config = {
    global: { scrape_interval: '250ms', scrape_timeout: '250ms' },
    scrape_configs: [
      {
        job_name: job,
        ...(key !== undefined && { authorization: { credentials: key } }),
        static_configs: [{ targets: [target] }],
      },
    ],
  }
  writeFileSync(join(folder, 'prometheus.yaml'), stringify(config))
  const child = spawn(
    server,
    [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  )
  const exited = new Promise(resolve => child.once('exit', resolve))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
    rmSync(folder, { recursive: true, force: true })
  })
  const origin = `http://127.0.0.1:${port}`
  await until(() =>
    fetch(`${origin}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  )
  const query = async (expression: string) => {
    const response = await fetch(`${origin}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: expression }),
    })
    const { data, error } = (await response.json()) as { data?: { result: Sample[] }; error?: string }
    if (data === undefined) throw new Error(`${expression}: ${error}`)
    return data.result
  }
  return {
    query,
    scraped: times =>
      until(async () => {
        const [count] = await query(`count_over_time(up{job="${job}"}[10m])`)
        return Number(count?.value[1] ?? 0) >= times
      }),
  }
}

function missing(): string | false {
  if (existsSync(server) && existsSync(tool)) return false
  const reason = `no Prometheus: ${server} or ${tool} is not there (Debian: apt-get install --no-install-recommends prometheus)`
  if (process.env['HEADWATERS_TEST_ALL'] === '1')
    throw new Error(`HEADWATERS_TEST_ALL=1 allows no skipped test, and there is ${reason}`)
  return reason
}
