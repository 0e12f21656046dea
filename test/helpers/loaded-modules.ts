import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { definitionsFolder } from './definitions-folder.ts'
import { startService } from './service-process.ts'

/** Writes the URL of each module that is loaded. */
const hooks = `
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
registerHooks({
  load(url, context, next) {
    appendFileSync(process.env.LOADED, url + '\\n')
    return next(url, context)
  },
})
`

/** Returns a function that starts a service and returns the URLs of the modules that it has loaded. */
export function moduleRecorder(t: Test) {
  const { path } = definitionsFolder(t, { 'hooks.mjs': hooks })
  let services = 0
  return async (variables: Readonly<Record<string, string>>, args: readonly string[] = ['serve']) => {
    const file = join(path, `loaded-${++services}`)
    const service = await startService(t, { LOADED: file, ...variables }, args, {
      node: ['--import', join(path, 'hooks.mjs')],
    })
    await service.said('serving')
    const urls = readFileSync(file, 'utf8').split('\n')
    t.ok(
      urls.some(url => url.endsWith('/src/upstream/runtime.ts')),
      'modules were seen',
    )
    return urls
  }
}
