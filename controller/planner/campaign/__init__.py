"""The order of a campaign, pure: which hosts may be out of service together, wave by wave, and the proof of a wave.

Snapshot, estate, order and the time go in. Nothing here acts, and what it plans ahead is a forecast: each wave is
chosen and proved again on fresh facts before it begins.
"""
