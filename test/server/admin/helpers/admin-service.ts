import { request } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { startService, type Environment, type ProcessOptions } from '../../../helpers/service-process.ts'

export const apiKey = 'api-key-0123456789'
export const adminKey = 'admin-key-0123456789'

export interface ScrapeOptions {
  readonly host?: string
  readonly path?: string
  /** The key that the request shows. @default none */
  readonly key?: string
  /** The `Host` header. @default the host and the port */
  readonly name?: string
}

/** Sends a GET on a connection of its own, and reads the reply. */
export async function scrape(port: number, { host = '127.0.0.1', path = '/metrics', key, name }: ScrapeOptions = {}) {
  const headers = {
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(name !== undefined && { host: name }),
  }
  const [response] = await once(request({ host, port, path, headers, agent: false }).end(), 'response')
  return { status: response.statusCode as number, text: await text(response) }
}

/** Returns the value of the series with these labels, or undefined. */
export function valueOf(metrics: string, series: string): number | undefined {
  const line = metrics.split('\n').find(each => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1).split(' ')[0])
}

/** Starts the service with an admin listener on a free port. */
export async function adminService(
  t: Test,
  environment: Environment = {},
  args: readonly string[] = ['serve'],
  options: ProcessOptions = {},
) {
  const service = await startService(t, { ADMIN_PORT: '0', ...environment }, args, options)
  const { msg } = await service.said('admin listener is open at')
  return { ...service, adminPort: Number(/:(\d+)$/.exec(msg)?.[1]), adminUrl: msg.split(' ').at(-1) as string }
}
