import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'tap'
import { childEnvironment } from '../helpers/child-environment.ts'

/** The packages that importing an entry of ours loads. */
async function packagesOf(entry: string): Promise<string[]> {
  const script = `
    import { registerHooks } from 'node:module'
    const packages = new Set()
    registerHooks({
      load (url, context, next) {
        const [, name] = /\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\/(?!.*\\/node_modules\\/)/.exec(url) ?? []
        if (name !== undefined) packages.add(name)
        return next(url, context)
      },
    })
    await import(${JSON.stringify(new URL(`../../src/${entry}`, import.meta.url).href)})
    console.log(JSON.stringify([...packages].sort()))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    env: childEnvironment,
  })
  return JSON.parse(stdout) as string[]
}

test('the package and its test kit load no Fastify: only the app does', async t => {
  for (const entry of ['index.ts', 'testing/index.ts']) {
    const packages = await packagesOf(entry)
    t.notOk(packages.includes('fastify'), entry)
    t.ok(packages.includes('undici'), 'packages are seen')
  }
  t.ok((await packagesOf('app.ts')).includes('fastify'), 'it would be seen')
})
