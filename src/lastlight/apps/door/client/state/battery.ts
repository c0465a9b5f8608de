// How full the device is, where the browser tells.
interface BatteryManager {
  level: number;
  charging: boolean;
}

export async function charge(): Promise<{ battery: number | null; charging: boolean }> {
  const ask = (navigator as Navigator & { getBattery?: () => Promise<BatteryManager> }).getBattery;
  const found = await ask?.call(navigator).catch(() => undefined);
  return found ? { battery: Math.round(found.level * 100), charging: found.charging } : { battery: null, charging: false };
}
