import { readFileSync } from 'node:fs'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
}

/** The `info` of the API document of the built-in aggregates. */
export const info = {
  title: 'Headwaters',
  version,
  summary: 'Many upstreams, one answer.',
  license: { name: 'MIT', identifier: 'MIT' },
} as const
