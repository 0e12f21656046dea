import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')

/** Runs a module that serves one request, and returns the specifiers of OpenTelemetry that were loaded. */
async function loadedBy(before: string): Promise<unknown> {
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier.includes('opentelemetry')) loaded.push(specifier)
        return next(specifier, context)
      },
    })
    ${before}
    const { aggregate, createRuntime, fanOut } = await import('./src/index.ts')
    const { buildApp } = await import('./src/app.ts')
    await import('./src/server/serve.ts')
    const { z } = await import('zod')
    const one = aggregate('one', { url: '/one' }).required('one', () => 1).reply(z.number(), ({ one }) => one)
    const app = buildApp([one])
    const { statusCode } = await app.inject('/one')
    const runtime = createRuntime()
    await fanOut(one, {}, { runtime })
    await runtime.close()
    await app.close()
    console.log(JSON.stringify({ statusCode, loaded }))
  `
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: root })
  return JSON.parse(stdout)
}

test('without a registered provider no module of OpenTelemetry is loaded', async t => {
  t.same(await loadedBy(''), { statusCode: 200, loaded: [] })
})

test('with a registered provider the API is loaded once', async t => {
  const register = `
    const { trace } = await import('@opentelemetry/api')
    const { TracerProvider } = await import('@opentelemetry/sdk-trace')
    trace.setGlobalTracerProvider(new TracerProvider())
    loaded.length = 0
  `
  t.same(await loadedBy(register), { statusCode: 200, loaded: ['@opentelemetry/api'] })
})

test('a provider of an older copy of the API, which this copy cannot use, is ignored', async t => {
  const register = `
    globalThis[Symbol.for('opentelemetry.js.api.1')] = {
      version: '1.0.0',
      trace: { getTracer() { throw new Error('this provider is not used') } },
    }
  `
  t.same(await loadedBy(register), { statusCode: 200, loaded: ['@opentelemetry/api'] })
})

test('a provider without an installed API is ignored', async t => {
  const register = `
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier === '@opentelemetry/api')
          throw Object.assign(new Error('not installed'), { code: 'MODULE_NOT_FOUND' })
        return next(specifier, context)
      },
    })
    globalThis[Symbol.for('opentelemetry.js.api.1')] = { version: '1.10.0', trace: {} }
  `
  t.match(await loadedBy(register), { statusCode: 200 })
})
