const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `250ms`, `30s`, `1.5m` or `1h` in ms; nothing when it is none of these. */
export function durationOf(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? []
  return unit === '' ? undefined : Number(number) * (units[unit] as number)
}
