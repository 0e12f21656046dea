const blocks = { true: '▁▂▃▄▅▆▇█', false: '_.-=+*#@' } as const

/** A character a value, as high as it is of the highest; a space where there is none. */
export function sparkline(values: readonly number[], unicode: boolean): string {
  const steps = blocks[`${unicode}`]
  const highest = Math.max(...values.filter(value => !Number.isNaN(value)))
  return values
    .map(value => {
      if (Number.isNaN(value)) return ' '
      return steps[Math.min(steps.length - 1, Math.floor((value / highest) * steps.length))] ?? steps[0]
    })
    .join('')
}
