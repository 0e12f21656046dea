import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Returns the path of the command in `dist`. Throws if it does not exist, or if a source is newer. */
export function builtCli(): string {
  const [src, cli] = ['../../src', '../../dist/cli.js'].map(path => join(import.meta.dirname, path)) as [string, string]
  const newest = Math.max(
    ...readdirSync(src, { recursive: true, encoding: 'utf8' })
      .map(file => statSync(join(src, file)))
      .filter(stat => stat.isFile())
      .map(({ mtimeMs }) => mtimeMs),
  )
  if (!existsSync(cli) || statSync(cli).mtimeMs < newest)
    throw new Error('dist is older than src: run `npm run build` first')
  return cli
}
