import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { Got } from './served-app.ts'

/** Lets an app listen for one test, and asks it. */
export async function listening(t: Test, app: FastifyInstance) {
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  return async function ask<Body>(path: string, options: RequestInit = {}): Promise<Got<Body>> {
    const response = await fetch(origin + path, options)
    const text = await response.text()
    const isJson = /[/+]json(?:;|$)/.test(response.headers.get('content-type') ?? '')
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson && text !== '' ? JSON.parse(text) : undefined) as Body,
    }
  }
}
