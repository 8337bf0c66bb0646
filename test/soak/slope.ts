/** The slope of the straight line through points that has the least squares: what y grows by while x grows by one. NaN for fewer than two points. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const [middleX, middleY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const covariance = mean(points.map(([x, y]) => (x - middleX) * (y - middleY)));
  const variance = mean(points.map(([x]) => (x - middleX) ** 2));
  return covariance / variance;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
